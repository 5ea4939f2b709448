import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Entrant, Field, type RunSettings } from '../../bench/comparison/case-run.js'
import { lifCase } from '../../bench/comparison/cases.js'
import { PeerFailure, PeerProcess, parseAnswer } from '../../bench/comparison/peer-process.js'

const child = fileURLToPath(new URL('bench-peer-child.mjs', import.meta.url))
const command = (manner: string) => ({ program: process.execPath, args: [child, manner], environment: {} })

function entrant(id: string, manner: string, more: Partial<Entrant> = {}): Entrant {
  return { id, title: id, command: () => command(manner), oneCase: false, ...more }
}

const description = lifCase({ steps: 4, batch: 1, features: [6] }, { peers: ['spikingrx', 'peer', 'other'] })
let said: string[] = []
const settings: RunSettings = {
  repetitions: 3,
  budget: 100,
  patience: { prepare: 20, run: 20 },
  say: (line) => said.push(line),
}

let field: Field
beforeEach(() => {
  field = new Field()
  said = []
})
afterEach(() => field.close())

const reference = entrant('spikingrx', 'good')
const beside = async (peer: Entrant, with_: Partial<RunSettings> = {}) => {
  const { rows } = await field.run(description, [reference, peer], { ...settings, ...with_ })
  expect(rows[0]).toMatchObject({ peer: 'spikingrx', timing: { wall: 0.5, processor: 0.25, repetitions: 3 } })
  return rows[1]!
}

describe('a case with its peers', () => {
  it('times a peer that gives the values of its reference', async () => {
    const row = await beside(entrant('peer', 'good', { reference: 'spikingrx' }))
    expect(row).toEqual({
      peer: 'peer',
      title: 'peer',
      timing: { wall: 0.5, processor: 0.25, repetitions: 3, fastest: 0.5 },
      agreement: '0 of 24 spikes differ, gradients by 0e+0 of the largest',
      memory: 4096,
    })
    expect(field.versions).toEqual({ spikingrx: { library: '1.2.3' }, peer: { library: '1.2.3' } })
  })

  it.each([
    ['dies at once', 'it ended with 3 (ImportError: no module named snntorch)'],
    ['rubbish at once', 'it printed something that is no answer: "Welcome to the library!"'],
    ['unsupported', 'no such case here'],
    ['dies while preparing', 'it ended with 7'],
    ['killed while preparing', 'it ended by SIGKILL'],
    ['dies while running', 'it ended with 7'],
    ['rubbish while running', 'it printed something that is no answer: "warning: 1.5 s"'],
    ['no times', 'it told no times'],
    [
      'other spikes',
      'it computes something else than spikingrx: 16 of 24 spikes differ, gradients by 0e+0 of the largest',
    ],
    ['other shape', 'spikes has 23 values, the reference 24'],
    ['no outputs', 'it gave no spikes'],
  ])('reports a peer that: %s', async (manner, reason) => {
    const row = await beside(entrant('peer', manner, { reference: 'spikingrx' }))
    expect(row.absent).toBe(reason)
    expect(row.timing).toBeUndefined()
    expect(said).toEqual([`  peer: absent: ${reason}`])
  })

  it('kills a peer that never answers', async () => {
    const row = await beside(entrant('peer', 'never answers', { reference: 'spikingrx' }), {
      patience: { prepare: 1, run: 20 },
    })
    expect(row.absent).toBe('it gave no answer within 1 s')
  })

  it('reports a program that is not there, and packages that can not be installed', async () => {
    const none = entrant('peer', '', { command: () => ({ program: '/no/such/program', args: [], environment: {} }) })
    expect((await beside(none)).absent).toBe('it could not be started: spawn /no/such/program ENOENT')
    const refused = entrant('other', '', {
      command: () => {
        throw new Error('pip could not install jax.txt:\nlong output')
      },
    })
    expect((await beside(refused)).absent).toBe('pip could not install jax.txt:')
  })

  it('goes on with a peer that died in the case before', async () => {
    let manner = 'dies while preparing'
    const peer = entrant('peer', '', { reference: 'spikingrx', command: () => command(manner) })
    expect((await beside(peer)).absent).toBe('it ended with 7')
    manner = 'good'
    expect((await beside(peer)).timing?.wall).toBe(0.5)
  })

  it('keeps one process for all cases, or one a case', async () => {
    let started = 0
    const counted = (oneCase: boolean) => {
      const start = () => {
        started++
        return command('good')
      }
      return entrant(oneCase ? 'other' : 'peer', '', { oneCase, command: start })
    }
    await beside(counted(false))
    await beside(counted(false))
    expect(started).toBe(1)
    await beside(counted(true))
    await beside(counted(true))
    expect(started).toBe(3)
  })
})

describe('PeerProcess', () => {
  it('fails at once when it is asked after its end', async () => {
    const peer = new PeerProcess(command('dies at once'))
    await peer.ended
    await expect(peer.ask({ do: 'run', times: 1 }, 10)).rejects.toThrow(
      new PeerFailure('ended', 'it ended with 3 (ImportError: no module named snntorch)'),
    )
  })
})

describe('parseAnswer', () => {
  it('takes an object that says whether it went well', () => {
    expect(parseAnswer('{"ok":true,"wall":1}')).toEqual({ ok: true, wall: 1 })
  })

  it.each([['null'], ['[1]'], ['{"ok":1}'], ['{"ok":true'], ['']])('refuses %j', (line) => {
    expect(() => parseAnswer(line)).toThrow(`it printed something that is no answer: ${JSON.stringify(line)}`)
  })

  it('shows the start of a long line', () => {
    expect(() => parseAnswer('x'.repeat(100))).toThrow(`"${'x'.repeat(80)}..."`)
  })
})
