import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stateOf, withLock } from '../../lib/runtime/setup/lock.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a lock', () => {
  const note = () => undefined

  it.each([
    ['whose owner is gone', '99999999'],
    ['that says nothing sensible', 'nonsense'],
    ['whose number another process has got since', String(process.pid)],
  ])('%s is taken over', async (_what, content) => {
    const file = path.join(folder, 'x.lock')
    writeFileSync(file, content)
    if (content === String(process.pid)) utimesSync(file, new Date(0), new Date(0))
    expect(await withLock(file, async (waited) => waited, { note })).toBe(false)
    expect(readdirSync(folder)).toEqual([])
  })

  it('is waited for, and given back after an error', async () => {
    const file = path.join(folder, 'x.lock')
    const order: string[] = []
    const notes: string[] = []
    let started: () => void = () => undefined
    const begun = new Promise<void>((resolve) => {
      started = resolve
    })
    let end: () => void = () => undefined
    const first = withLock(
      file,
      () =>
        new Promise<void>((_resolve, reject) => {
          started()
          end = () => {
            order.push('first')
            reject(new Error('failed'))
          }
        }),
      { note },
    )
    await begun
    const second = withLock(file, async (waited) => void order.push(`second ${waited}`), {
      pause: 5,
      note: (text) => {
        notes.push(text)
        end()
      },
    })
    await expect(first).rejects.toThrow('failed')
    await second
    expect(order).toEqual(['first', 'second true'])
    expect(notes).toEqual([`waiting for process ${process.pid}, which holds ${file}`])
  })

  it('is not waited for after an abort', async () => {
    const file = path.join(folder, 'x.lock')
    writeFileSync(file, String(process.pid))
    await expect(withLock(file, async () => 1, { note, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
  })

  it.skipIf(process.platform !== 'linux')(
    'knows when a process began, and that one has ended whose parent does not look',
    async () => {
      const own = stateOf(process.pid)
      expect(own?.ended).toBe(false)
      expect(Math.abs(own!.began - (Date.now() - process.uptime() * 1000))).toBeLessThan(3000)
      expect(stateOf(99999999)).toBeNull()

      // The shell's child ends after a while; the program that takes the shell's place never asks for it.
      const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
      try {
        const [line] = await once(parent.stdout, 'data')
        const pid = Number(String(line))
        const file = path.join(folder, 'x.lock')
        writeFileSync(file, String(pid))
        expect(await withLock(file, async () => stateOf(pid)?.ended, { note, pause: 5 })).toBe(true)
      } finally {
        parent.kill('SIGKILL')
      }
    },
  )
})
