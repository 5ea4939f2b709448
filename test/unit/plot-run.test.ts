import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { learningCurves } from '../../lib/plot/learning-curves.js'
import { membraneTraces } from '../../lib/plot/membrane-traces.js'
import { renderSvg } from '../../lib/plot/render.js'
import { type RunPictures, runPlots, writeRunPictures } from '../../lib/plot/report.js'
import { oneOfEachStretch } from '../../lib/plot/samples.js'
import { spikeRaster } from '../../lib/plot/spike-raster.js'
import { marksIn, overhang, textsIn } from './plot-svg.js'

const train = [1, 2, 3].map((at) => ({ at, loss: 1 / at, accuracy: 1 - 0.3 / at, firingRates: [0.1, 0.05 * at] }))

describe('learningCurves', () => {
  it('draws a point for every epoch in loss, accuracy and firing rate', async () => {
    const validation = train.map(({ at, loss, accuracy }) => ({ at, loss: loss + 0.1, accuracy: accuracy - 0.1 }))
    const svg = await renderSvg(learningCurves({ train, validation, layers: ['stem', 'block'] }))
    expect(marksIn(svg, 'symbol', 'concat_0_layer_1_layer_1')).toHaveLength(6)
    expect(marksIn(svg, 'symbol', 'concat_1_layer_1_layer_1')).toHaveLength(6)
    expect(marksIn(svg, 'symbol', 'concat_2_layer_1')).toHaveLength(6)
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['training', 'validation', 'stem', 'block', 'loss', 'epoch']))
    expect(textsIn(svg)).toContain(
      'last: training loss 0.3333, accuracy 90.00 %; validation loss 0.4333, accuracy 80.00 %',
    )
    expect(overhang(svg)).toBe(0)
  })

  it('draws a single epoch', async () => {
    const svg = await renderSvg(learningCurves({ train: train.slice(0, 1) }))
    expect(marksIn(svg, 'symbol', 'concat_0_layer_1_layer_1')).toHaveLength(1)
    expect(overhang(svg)).toBe(0)
  })

  it('leaves out what was not measured', async () => {
    const svg = await renderSvg(learningCurves({ train: [{ at: 100, loss: 2 }], unit: 'step' }))
    expect(textsIn(svg)).not.toContain('accuracy (share right)')
    expect(textsIn(svg)).toContain('step')
    expect(svg).not.toContain('concat_1')
  })

  it('averages many batches, keeps their mean, and says so', () => {
    const batches = Array.from({ length: 900 }, (_, i) => ({ at: i / 900, loss: i % 3 }))
    const spec = learningCurves({ train, batches }) as unknown as {
      data: { values: { series: string; loss: number }[] }
      title: { subtitle: string[] }
    }
    const drawn = spec.data.values.filter((row) => row.series === 'batches')
    expect(drawn).toHaveLength(300)
    expect(drawn.every((row) => row.loss === 1)).toBe(true)
    expect(spec.title.subtitle).toContain('faint line: 300 means of 3 batches each')
  })

  it('refuses a run without epochs', () => {
    expect(() => learningCurves({ train: [] })).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  })
})

describe('spikeRaster', () => {
  it('draws one mark a spike at its step and neuron', async () => {
    const spikes = [0, 1, 0, 0, 0, 1]
    const svg = await renderSvg(spikeRaster([{ layer: 'lif', steps: 3, neurons: 2, spikes }]))
    const marks = marksIn(svg, 'rect', 'concat_0').map((mark) =>
      /d="M([\d.]+),([\d.]+)h/.exec(mark)!.slice(1).map(Number),
    )
    // 560 wide, 3 steps: step 1 starts at 0.08 of a step, step 3 at 2.08; both spikes are of neuron 1, the second row.
    expect(marks[0]![0]).toBeCloseTo((0.08 * 560) / 3, 2)
    expect(marks[1]![0]).toBeCloseTo((2.08 * 560) / 3, 2)
    expect(marks.map((mark) => mark[1])).toEqual([12, 12])
    expect(textsIn(svg)).toContain('lif: 2 neurons, rate 0.333')
    expect(overhang(svg)).toBe(0)
  })

  it('shows evenly spread neurons of a large layer, and the rate of all', async () => {
    const spikes = new Uint8Array(4 * 25_088)
    spikes.fill(1, 0, 25_088)
    const svg = await renderSvg(spikeRaster([{ layer: 'stem', steps: 4, neurons: 25_088, spikes }]))
    expect(marksIn(svg, 'rect', 'concat_0')).toHaveLength(80)
    expect(textsIn(svg)).toContain('stem: 80 of 25,088 neurons, rate 0.25')
  })

  it('halves the rows until the picture holds at most 12,000 spikes', async () => {
    const layer = { layer: 'always', steps: 1000, neurons: 100, spikes: new Uint8Array(100_000).fill(1) }
    const svg = await renderSvg(spikeRaster([layer]))
    expect(marksIn(svg, 'rect', 'concat_0')).toHaveLength(10_000)
    expect(textsIn(svg)).toContain('always: 10 of 100 neurons, rate 1')
  })

  it('marks values above 1 in another colour', async () => {
    const svg = await renderSvg(spikeRaster([{ layer: 'sew', steps: 1, neurons: 3, spikes: [1, 2, 0] }]))
    const marks = marksIn(svg, 'rect', 'concat_0').map((mark) =>
      /d="M[\d.]+,([\d.]+)h.*fill="([^"]*)"/.exec(mark)!.slice(1),
    )
    expect(marks.sort()).toEqual([
      ['0', '#0072b2'],
      ['12', '#e69f00'],
    ])
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['spike', 'above 1']))
  })

  it('draws a silent layer as an empty panel', async () => {
    const svg = await renderSvg(spikeRaster([{ layer: 'silent', steps: 2, neurons: 2, spikes: [0, 0, 0, 0] }]))
    expect(marksIn(svg, 'rect', 'concat_0')).toHaveLength(0)
    expect(textsIn(svg)).toContain('silent: 2 neurons, rate 0')
  })

  it('refuses spikes that do not fit', () => {
    expect(() => spikeRaster([{ layer: 'lif', steps: 3, neurons: 2, spikes: [1] }])).toThrow(
      expect.objectContaining({
        code: 'ERR_SHAPE',
        message: expect.stringContaining('spikeRaster: lif expects 6 numbers'),
      }),
    )
  })

  it('picks one index out of each stretch, at differing places', () => {
    const picked = oneOfEachStretch(80, 3136) // 16 maps of 14 x 14, where equal distances meet 5 places only
    expect(picked.every((index, i) => index >= 39.2 * i - 1 && index < 39.2 * (i + 1))).toBe(true)
    expect(new Set(picked.map((index) => index % 196)).size).toBeGreaterThan(60)
    expect(oneOfEachStretch(9, 3)).toEqual([0, 1, 2])
  })
})

describe('membraneTraces', () => {
  const neuron = { membrane: [0.3, 0.6, 0.2], afterReset: [0.3, 0.1, 0.2], spikes: [0, 1, 0], threshold: 0.5 }

  it('draws input, sawtooth, threshold and firing events in their colours', async () => {
    const svg = await renderSvg(membraneTraces([{ neuron: 'n0', ...neuron, input: [1, 1, 1] }]))
    const line = (layer: string): string => marksIn(svg, 'line', layer)[0]!
    expect(line('concat_0_layer_0')).toContain('stroke="#8c8c8c"')
    expect(line('concat_0_layer_1')).toContain('stroke="#0072b2"')
    // Three steps and the foot of one drop.
    expect(line('concat_0_layer_1').match(/[ML]/g)).toHaveLength(4)
    expect(marksIn(svg, 'rule', 'concat_0_layer_2')[0]).toContain('stroke="#d62728"')
    const spikes = marksIn(svg, 'symbol', 'concat_0_layer_3')
    expect(spikes).toHaveLength(1)
    expect(spikes[0]).toContain('fill="#e69f00"')
    expect(overhang(svg)).toBe(0)
  })

  it('gives every neuron a row, ten at most', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => ({ neuron: `neuron ${i}`, ...neuron }))
    const svg = await renderSvg(membraneTraces(rows))
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['neuron 0', 'neuron 9', 'first 10 of 12 neurons']))
    expect(textsIn(svg)).not.toContain('neuron 10')
  })

  it('refuses arrays of different length', () => {
    expect(() => membraneTraces([{ neuron: 'n0', ...neuron, spikes: [0] }])).toThrow(/spikes of n0 expects 3 steps/)
  })
})

describe('writeRunPictures', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spikingrx-run-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  const run: RunPictures = {
    history: { train },
    raster: { layers: [{ layer: 'lif', steps: 2, neurons: 2, spikes: [0, 1, 1, 0] }] },
    traces: { neurons: [{ neuron: 'n0', membrane: [0.1, 0.6], spikes: [0, 1], threshold: 0.5 }] },
    filters: { weights: [1, -1], filters: 2, channels: 1, height: 1, width: 1 },
    featureMaps: { values: [0, 1], channels: 2, height: 1, width: 1, quantity: 'rate' },
    confusion: { classes: ['0', '1'], counts: [9, 1, 0, 10] },
  }

  it('writes SVG and PNG of every picture asked for', async () => {
    const names = [
      'learning-curves',
      'spike-raster',
      'membrane-traces',
      'first-layer-filters',
      'feature-maps',
      'confusion-matrix',
    ]
    const files = await writeRunPictures(join(directory, 'all'), run)
    expect(files).toEqual(
      names.flatMap((name) => ['svg', 'png'].map((type) => join(directory, 'all', `${name}.${type}`))),
    )
    for (const file of files) expect((await stat(file)).size).toBeGreaterThan(1000)
    expect(await readdir(join(directory, 'all'))).toHaveLength(12)
  })

  it('leaves out what is not given', () => {
    expect([...runPlots({ confusion: run.confusion! }).keys()]).toEqual(['confusion-matrix'])
    expect([...runPlots({ rates: { layers: [{ layer: 'a', rate: 0 }] } }).keys()]).toEqual(['firing-rates'])
  })
})
