import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from '../../lib/io/npy.js'
import { Model } from '../../lib/model/model.js'
import { receiverNetwork, resourceGrid } from '../../lib/receiver/index.js'
import { spikingrx } from './cli-program.js'

/** The trained receiver of the package, once it is there. */
const packaged = fileURLToPath(new URL('../../models/receiver/tiny/model.safetensors', import.meta.url))

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
    const csv = (await readFile(join(folder, 'measured', 'data', 'error-rates.csv'), 'utf8')).split('\r\n')
    expect(csv).toHaveLength(1 + 2 * 4 + 1)
    const { bitErrors, ber, blockErrors, bler } = points[0].receivers[2]
    expect(csv[3]).toMatch(/^4,"LS, linear",64,/)
    expect(csv[3]!.split(',').slice(4, 11).map(Number)).toEqual([
      bitErrors,
      ber.value,
      ber.low,
      ber.high,
      blockErrors,
      bler.value,
      bler.low,
    ])
    expect((await readdir(join(folder, 'measured'))).sort()).toEqual([
      'data',
      'pictures',
      'report.html',
      'results.json',
    ])
    expect((await readdir(join(folder, 'measured', 'pictures'))).sort()).toEqual(
      ['ber', 'bler', 'rate'].flatMap((name) => [`${name}.png`, `${name}.svg`]),
    )
    const html = await readFile(join(folder, 'measured', 'report.html'), 'utf8')
    expect(html.match(/<svg/g)).toHaveLength(3)
    expect(html).not.toMatch(/<(script|link|img|iframe|object)\b/)
    expect(html).toMatch(/Bit error rate at Es\/N0 = 10 dB: perfect knowledge 0\.0\d+; LMMSE 0\.0/)
    expect(html).toMatch(/seed 1 · \d+\.\d s · spikingrx \d/)
  })

  it('shows one slot, and decodes it again from its recording to the same soft bits', async () => {
    const shown = await run(
      'demo',
      'run/model.safetensors',
      '--snr',
      '12',
      '--export',
      'slot.npy',
      '--llrs',
      'a.npy',
      '--json',
    )
    expect(shown.stderr.split('\n')).toEqual([
      'Simulating a slot, seed 1',
      'Receiving it: spiking beside classical receivers',
      'Drawing',
    ])
    const { receivers, activity, files } = JSON.parse(shown.stdout)
    expect(receivers.map(({ name }: { name: string }) => name)).toEqual([
      'perfect knowledge',
      'LMMSE',
      'LS, linear',
      'spiking',
    ])
    const [perfect, , linear, spiking] = receivers.map(({ bitErrors }: { bitErrors: number }) => bitErrors)
    expect(perfect).toBeLessThanOrEqual(linear)
    expect(spiking).toBeGreaterThan(200) // of 1152: four steps of training teach nothing
    expect(activity).toHaveLength(1 + 2 * 3)
    expect(activity[0]).toMatchObject({ layer: 'stem', steps: 1 })
    const pictures = ['activity', 'channel', 'constellation', 'llrs']
    for (const name of pictures) expect(files).toContain(`runs/receiver-demo/pictures/${name}.png`)

    const again = await run(
      'demo',
      'run/model.safetensors',
      '--snr',
      '12',
      '--slot',
      'slot.npy',
      '--llrs',
      'b.npy',
      '--out',
      'b',
    )
    expect(again.code).toBe(0)
    expect(again.stdout).not.toContain('Wrong bits')
    const [first, second] = await Promise.all(['a.npy', 'b.npy'].map((name) => readNpy(join(folder, name))))
    expect(first!.shape).toEqual([1, 2, 14, 48])
    expect(second).toEqual(first)
    const html = await readFile(join(folder, 'b', 'report.html'), 'utf8')
    expect(html).toContain('what was sent is not known')
    expect(html.match(/<svg/g)).toHaveLength(4)
  })

  it('runs what it trained with one step for three', async () => {
    const few = ['--snr', '10', '--slots', '2', '--channel', 'awgn', '--json']
    const once = JSON.parse((await run('evaluate', 'run/model.safetensors', ...few, '--out', 'once')).stdout)
    const more = await run('evaluate', 'run/model.safetensors', ...few, '--steps', '3', '--out', 'thrice')
    expect(more.stderr).toBe('')
    const networks = await readFile(join(folder, 'thrice', 'data', 'networks.csv'), 'utf8')
    expect(networks).toMatch(/^spiking,\d+,3,run\/model\.safetensors\r$/m)
    const rates = [once, JSON.parse(more.stdout)].map(({ points }) => points[0].receivers[3].rate.value)
    expect(rates[0]).not.toBe(rates[1])
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

  it.runIf(existsSync(packaged))('demonstrates the network that comes with the package', async () => {
    const { code, stdout } = await run('demo', '--json', '--out', 'packaged')
    expect(code).toBe(0)
    const [perfect, , , spiking] = JSON.parse(stdout).receivers
    expect(spiking.bitErrors).toBeGreaterThanOrEqual(perfect.bitErrors)
    expect(spiking.bitErrors).toBeLessThan(1152 / 4)
  })

  it.each([
    [
      'real numbers',
      { complex: false },
      'holds real numbers: a received grid is complex64 or complex128',
      'ERR_DATA_UNSUPPORTED',
    ],
    ['another grid', { shape: [12, 56] }, '[any, any, 14, 48, 2], got [1, 1, 12, 56, 2]', 'ERR_SHAPE'],
    ['two antennas', { shape: [1, 2, 7, 48] }, '[any, any, 14, 48, 2]', 'ERR_SHAPE'],
    ['no pilots', { fill: 0 }, 'has nothing where the grid has its pilots', 'ERR_DATA_FORMAT'],
    ['a number that is none', { fill: Number.NaN }, 'holds numbers that are not finite', 'ERR_DATA_FORMAT'],
  ])(
    'refuses a recording of %s in one line',
    async (_, { shape = [14, 48], complex = true, fill = 1 }: Recorded, message, code) => {
      const data = new Float32Array(14 * 48 * (complex ? 2 : 1)).fill(fill)
      await writeNpy(join(folder, 'bad.npy'), { shape, dtype: 'float32', complex, data })
      const refused = await run('demo', 'run/model.safetensors', '--slot', 'bad.npy')
      expect(refused.code).toBe(1)
      const last = refused.stderr.split('\n').at(-1)
      expect(last).toContain(message)
      expect(last).toMatch(new RegExp(`^spikingrx receiver: .* \\[${code}\\]$`))
    },
  )

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

  it('ends a point at so many block errors of each receiver', async () => {
    const slots = async (...more: string[]): Promise<number> => {
      const { stdout } = await run('evaluate', '--snr', '0', '--slots', '700', '--json', '--out', 'ended', ...more)
      return JSON.parse(stdout).points[0].receivers[0].slots
    }
    // Uncoded at 0 dB every slot has an error.
    expect(await slots()).toBeLessThan(300)
    expect(await slots('--block-errors', '10000')).toBe(700)
  })

  it.each([
    [1, ['evaluate', 'missing.safetensors'], 'missing.safetensors'],
    [1, ['demo', 'missing.safetensors'], 'missing.safetensors'],
    [2, ['demo', 'run/model.safetensors', '--modulation', '16qam'], 'is for qpsk, not for 16qam'],
    [2, ['demo', '--snr', '0:10:2'], 'demo shows one slot at one --snr, got 0:10:2'],
    [2, ['demo', '--slot', 'a.npy', '--export', 'b.npy'], '--export writes the simulated slot'],
    [2, ['evaluate', '--snr', '5:1:1'], '--snr must be from:to:step'],
    [2, ['evaluate', '--snr', 'nan'], '--snr must be a number, or from:to:step, in dB, got "nan"'],
    [2, ['evaluate', '--snr', 'Infinity'], '--snr must be a number'],
    [2, ['evaluate', '--snr', '0:101:1'], '--snr must lie within −100 and 100 dB'],
    [2, ['evaluate', '--speed', '400'], 'speed must be at most 128.5 m/s at 3.5 GHz and 30 kHz spacing'],
    [2, ['evaluate', '--modulation', 'bpsk'], '--modulation must be qpsk, 16qam or 64qam, got "bpsk"'],
    [2, ['evaluate', '--channel', 'tdl-f'], '--channel must be awgn'],
    [2, ['train', 'a.safetensors'], 'receiver train takes no checkpoint'],
    [1, ['train', '--resume', '--out', 'nothing'], 'nothing holds no run of a receiver: start one without --resume'],
    [2, ['quantize'], 'receiver quantize needs a checkpoint'],
    [2, ['quantize', 'm.safetensors', '--out', './m.safetensors'], '--out must name another file than the checkpoint'],
    [2, ['activity'], 'receiver activity needs a checkpoint'],
    [2, ['listen'], 'unknown what to do "listen"'],
  ])('exits with %i for %j, told in one line', async (wanted, args, message) => {
    const { code, stderr } = await run(...args)
    expect(stderr).toContain(message)
    expect(stderr.split('\n')).toHaveLength(1)
    expect(code).toBe(wanted)
  })

  it('says what it was doing before a recording that is not there', async () => {
    const { code, stderr } = await run('demo', 'run/model.safetensors', '--slot', 'missing.npy')
    expect(code).toBe(1)
    expect(stderr).toBe('Reading missing.npy\nspikingrx receiver: there is no file missing.npy [ERR_DATA_MISSING]')
  })

  it('refuses a twin of another grid, and a checkpoint that is no receiver', async () => {
    using grid = resourceGrid({ subcarriers: 24 })
    await using twin = await Model.create(receiverNetwork(grid, { kind: 'dense', channels: 2, blocks: 0 }), {
      device: 'cpu',
    })
    await twin.save(join(folder, 'twin.safetensors'))
    const other = await run('evaluate', 'run/model.safetensors', '--twin', 'twin.safetensors')
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(/the network reads \[4, 14, 24\], the grid wants \[4, 14, 48\]; .* \[ERR_SHAPE\]$/)
    const digits = fileURLToPath(new URL('../../models/demo/digits/1/model.safetensors', import.meta.url))
    const none = await run('demo', digits)
    expect(none.code).toBe(2)
    expect(none.stderr).toMatch(/is no receiver: it goes from \[1, 28, 28\] to \[10\]/)
  })
})

interface Recorded {
  readonly shape?: readonly number[]
  readonly complex?: boolean
  readonly fill?: number
}
