import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spikingrx } from './cli-program.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-receiver-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const run = (...args: string[]) => spikingrx(['receiver', ...args], { cwd: folder })

describe('spikingrx receiver', () => {
  it('trains, stores, and measures what it trained beside the classical receivers', async () => {
    const trained = await run('train', '--iterations', '4', '--batch-size', '2', '--steps', '1', '--out', 'run')
    expect(trained.stderr).toBe('')
    expect(trained.code).toBe(0)
    expect(trained.stdout).toMatch(
      /^epoch 4\/4 done in .*: training loss 0\.\d+; test loss 0\.\d+; firing rate 0\.\d+$/m,
    )
    expect((await readdir(join(folder, 'run'))).sort()).toEqual([
      'checkpoints',
      'metrics.jsonl',
      'model.safetensors',
      'receiver.json',
    ])

    const measured = await run(
      'evaluate',
      'run/model.safetensors',
      '--snr',
      '4:10:6',
      '--slots',
      '64',
      '--out',
      'measured',
    )
    expect(measured.code).toBe(0)
    const { points } = JSON.parse(await readFile(join(folder, 'measured', 'results.json'), 'utf8'))
    expect(points.map(({ snr }: { snr: number }) => snr)).toEqual([4, 10])
    const [perfect, lmmse, linear, spiking] = points[1].receivers
    expect(perfect.ber.value).toBeGreaterThan(0.02)
    expect(perfect.ber.value).toBeLessThan(lmmse.ber.value)
    expect(lmmse.ber.value).toBeLessThan(linear.ber.value)
    expect(spiking).toMatchObject({ receiver: 'spiking', slots: 64 })
    const csv = (await readFile(join(folder, 'measured', 'ber.csv'), 'utf8')).split('\n')
    expect(csv).toHaveLength(1 + 2 * 4 + 1)
    expect(csv[1]).toBe(
      [4, '"perfect knowledge"', 64, ...['ber', 'bler'].flatMap((of) => Object.values(points[0].receivers[0][of]))]
        .concat(points[0].receivers[0].rate.value)
        .join(','),
    )
    expect((await readdir(join(folder, 'measured'))).sort()).toEqual([
      'ber.csv',
      'ber.png',
      'ber.svg',
      'bler.png',
      'bler.svg',
      'results.json',
    ])
  })

  it('stores the trained receiver with 8-bit weights, and tells what they cost', async () => {
    const few = ['--snr', '0:10:10', '--slots', '10', '--channel', 'awgn', '--coded', '0.3']
    const stored = await run('quantize', 'run/model.safetensors', ...few)
    expect(stored.stderr).toBe('')
    const [sizes, title, ...rows] = stored.stdout.trim().split('\n')
    expect(sizes).toMatch(/^run\/model-8bit\.safetensors: [\d.]+ kB with 8-bit weights, before [\d.]+ kB \(3\.\d\d×\)$/)
    expect(title).toBe('Es/N0 that each needs, awgn, on the same 10 slots a point:')
    // Hardly trained: neither of both gets there.
    for (const [i, what] of ['BER 0.1', 'BER 0.07', 'BLER 0.1, LDPC rate 0.3'].entries()) {
      expect(rows[i + 1]!.split(/ {2,}/)).toEqual(['', what, 'above 10 dB', 'above 10 dB', 'not known'])
    }
    const seen = await spikingrx(['info', 'run/model-8bit.safetensors'], { cwd: folder })
    expect(seen.stdout).toContain('8 weights as 8-bit codes')
    expect(seen.stdout).toMatch(/layers\.0\.weight +I8 {2}\[24, 4, 3, 3\]/)
  })

  it('tells how active the trained receiver is, and what it computes', async () => {
    const few = ['--slots', '2', '--channel', 'awgn', '--out', 'seen']
    const seen = await run('activity', 'run/model.safetensors', ...few)
    expect(seen.stderr).toBe('')
    expect(seen.stdout).toMatch(/^ {2}everything( +[\d,.]+){6} +20,207,616 +- +93$/m)
    expect(seen.stdout).toMatch(
      /^T = 10: [\d.]+ million SynOps and 0\.578 million MACs a slot, .* by the papers' convention/m,
    )
    const names = ['activity-energy', 'activity-populations']
    expect((await readdir(join(folder, 'seen', 'pictures'))).sort()).toEqual(
      names.flatMap((name) => [`${name}.png`, `${name}.svg`]),
    )
    const steps = (await readFile(join(folder, 'seen', 'data', 'activity-steps.csv'), 'utf8')).trim().split('\r\n')
    expect(steps.slice(1).map((line) => Number.parseInt(line, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await readFile(join(folder, 'seen', 'report.html'), 'utf8')).toContain('Spike activity and operations')
  })

  it('measures coded links without a network, as JSON', async () => {
    const args = [
      '--coded',
      '0.5',
      '--channel',
      'awgn',
      '--modulation',
      '16qam',
      '--snr',
      '20',
      '--slots',
      '4',
      '--json',
    ]
    const { code, stdout } = await run('evaluate', ...args, '--out', 'coded')
    expect(code).toBe(0)
    const { points } = JSON.parse(stdout)
    expect(points[0].receivers.map(({ blockErrors }: { blockErrors: number }) => blockErrors)).toEqual([0, 0, 0])
  })

  it.each([
    [['evaluate', 'missing.safetensors'], 'missing.safetensors'],
    [['evaluate', '--snr', '5:1:1'], '--snr must be from:to:step'],
    [['evaluate', '--speed', '400'], 'speed must be at most 128.5 m/s'],
    [['train', 'a.safetensors'], 'receiver train takes no checkpoint'],
    [['train', '--resume', '--out', 'nothing'], 'nothing holds no run of a receiver: start one without --resume'],
    [['quantize'], 'receiver quantize needs a checkpoint'],
    [['quantize', 'm.safetensors', '--out', './m.safetensors'], '--out must name another file than the checkpoint'],
    [['activity'], 'receiver activity needs a checkpoint'],
    [['listen'], 'unknown what to do "listen"'],
  ])('%j is refused in one line', async (args, message) => {
    const { code, stderr } = await run(...args)
    expect(code).not.toBe(0)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n').length).toBeLessThan(4)
  })
})
