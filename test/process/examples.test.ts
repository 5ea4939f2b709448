/** The examples in a short form: each runs as a user would run it and prints what it promises. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { python } from '../python/python.js'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const tsx = createRequire(import.meta.url).resolve('tsx/cli')
let directory = ''

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'spikingrx-examples-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** What an example prints; it runs in a folder of its own, where it may write. */
function run(name: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsx, path.join(examples, name), ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    timeout: 110_000,
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
}

/** Percentages in a line that matches. */
const percent = (text: string, line: RegExp) => Number(line.exec(text)?.[1])

describe('examples', { timeout: 120_000 }, () => {
  it('trains on MNIST, saves, and Python reads the checkpoint', () => {
    const text = run('mnist.ts', '3200')
    expect(Number(/accuracy on the test images: ([\d.]+)/.exec(text)?.[1])).toBeGreaterThan(0.8)
    expect(text).toMatch(/The first test image shows a 7; the network says \d\./)
    expect(existsSync(path.join(directory, 'digits.safetensors'))).toBe(true)
    const read = python()('../../examples/read_checkpoint.py', path.join(directory, 'digits.safetensors'))
    expect(read).toContain('input [1, 28, 28], 4 time steps')
    expect(read).toMatch(/layers\.0\.weight\s+\(16, 1, 3, 3\)/)
  })

  it('trains on own data from typed arrays', () => {
    expect(percent(run('own-data.ts'), /epoch 6:.*unseen points ([\d.]+) %/)).toBeGreaterThan(90)
  })

  it('trains in a loop of its own with a loss of its own', () => {
    expect(percent(run('custom-loop.ts'), /([\d.]+) %[^\n]*\n?$/)).toBeGreaterThan(75)
  })

  it('resumes after a kill with exactly the same weights', () => {
    const hashes = [...run('resume.ts').matchAll(/weights ([0-9a-f]{16})/g)].map(([, hash]) => hash)
    expect(hashes).toHaveLength(2)
    expect(hashes[0]).toBe(hashes[1])
  })

  it('watches a stream frame by frame', () => {
    expect(percent(run('streaming.ts'), /epoch 15: accuracy ([\d.]+)/)).toBeGreaterThan(95)
  })

  it('serves models as a server and inside an application', () => {
    const text = run('serve.ts')
    expect(text).toContain('the server says 7, the image shows a 7\n')
    expect(text).toMatch(/below \/snn: ready true; \/digit: (9\d|100) % sure, with \d{3,5} spikes/)
  })
})
