import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const program = fileURLToPath(new URL('resume-run.ts', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-resume-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Told {
  readonly type: string
  readonly epoch?: number
  readonly step?: number
}

interface Life {
  readonly events: Told[]
  readonly code: number | null
  readonly signal: string | null
}

/** Runs the program; kills it `delay` ms after its `events`-th event. */
async function live(directory: string, kill?: { readonly events: number; readonly delay: number }): Promise<Life> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = new Promise<Pick<Life, 'code' | 'signal'>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const events: Told[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // A killed child may leave half a line.
    if (line.endsWith('}')) events.push(JSON.parse(line))
    if (events.length === kill?.events) setTimeout(() => child.kill('SIGKILL'), kill.delay)
  }
  return { events, ...(await closed) }
}

/** What an event is about: a run that repeats one must tell the same. */
function key({ type, epoch, step }: Told): string {
  return `${type} ${epoch} ${step}`
}

it('ends with the same bits when it is killed at random moments and resumed', async () => {
  const straight = await live(join(folder, 'straight'))
  expect([straight.code, straight.signal]).toEqual([0, null])
  const expected = new Map(straight.events.map((event) => [key(event), event]))

  const directory = join(folder, 'killed')
  const told: Told[] = []
  let kills = 0
  for (let attempt = 0; ; attempt++) {
    // Each life lasts for a checkpoint or more; the moment within a step, a validation or a write is left to chance.
    const kill = { events: 6 + Math.floor(Math.random() * 8), delay: Math.random() * 15 }
    const life = await live(directory, attempt < 12 ? kill : undefined)
    told.push(...life.events)
    if (life.signal === null) {
      expect(life.code).toBe(0)
      break
    }
    expect(life.signal).toBe('SIGKILL')
    kills += 1
  }
  expect(kills).toBeGreaterThanOrEqual(3)

  for (const event of told.filter(({ type }) => type === 'step' || type === 'epoch')) {
    expect(event, `event ${key(event)} after ${kills} kills`).toEqual(expected.get(key(event)))
  }
  const complete = new Set(told.map(key))
  for (const name of expected.keys()) if (/^(step|epoch|end)/.test(name)) expect(complete).toContain(name)

  const [one, other] = await Promise.all(
    ['straight', 'killed'].map((name) => readFile(join(folder, name, 'final.safetensors'))),
  )
  expect(other?.equals(one ?? Buffer.alloc(0)), 'the final weights are the same bytes').toBe(true)
  const left = await readdir(directory)
  const unfinished = left.filter((name) => name.startsWith('.checkpoint-'))
  expect(unfinished, 'half-written checkpoints are cleared away').toEqual([])
  // A kill in the very last write, that of the final weights, has no run after it that could clear up.
  expect(left.filter((name) => !name.startsWith('.'))).toHaveLength(3)
}, 120_000)
