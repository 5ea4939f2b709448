import { describe, expect, it } from 'vitest'
import { architectures, MODELS } from '../../lib/cli/architectures.js'
import { collectionOf, networkName } from '../../lib/cli/collections.js'
import { findings } from '../../lib/cli/findings.js'
import { layerTitle } from '../../lib/cli/layer-titles.js'
import { RunningFigures } from '../../lib/cli/progress.js'
import { barLine } from '../../lib/cli/progress-bar.js'
import { TimeLeft } from '../../lib/cli/time-left.js'
import { bytes, clock, duration, figure, percent, plural } from '../../lib/cli/wording.js'
import { snn } from '../../lib/model/spec.js'
import type { StepEvent } from '../../lib/train/events.js'

it('words figures', () => {
  expect([0.98315, 1, Number.NaN].map((value) => percent(value))).toEqual(['98.31 %', '100.00 %', '-'])
  expect([0, 0.01234, 0.1234, 1.234, 12.34, 1234.5, Number.NaN].map(figure)).toEqual([
    '0.000',
    '0.0123',
    '0.123',
    '1.23',
    '12.3',
    '1235',
    '-',
  ])
  expect([8.24, 75, 3675].map(duration)).toEqual(['8.2 s', '1:15', '1:01:15'])
  expect([8, Number.NaN].map(clock)).toEqual(['0:08', '-:--'])
  expect([40, 1536, 3 * 1024 ** 2].map(bytes)).toEqual(['40 bytes', '1.5 kB', '3.0 MB'])
  expect([plural(1, 'epoch'), plural(60_000, 'image')]).toEqual(['1 epoch', '60,000 images'])
})

it('names the data set in the name of a network', () => {
  expect(collectionOf(networkName('mnist', 'sew'))).toBe('mnist')
  expect(collectionOf(networkName('fashion-mnist', 'mlp'))).toBe('fashion-mnist')
  expect([collectionOf('digits'), collectionOf(undefined)]).toEqual([undefined, undefined])
})

it('titles layers by place and kind', () => {
  const spec = snn({ input: [1, 8, 8], steps: 2 })
    .convBlock(2)
    .spikeNorm()
    .lif()
    .sewBlock(4, { stride: 2 })
  const titles = ['layers.2', 'layers.3.stages.1.lif', 'layers.3.shortcut.lif', 'layers.9', 'other']
  expect(titles.map((name) => layerTitle(spec, name))).toEqual([
    '2 lif',
    '3 sewBlock stage 2',
    '3 sewBlock shortcut',
    'layers.9',
    'other',
  ])
})

it.each(MODELS)('builds the architecture %s for digits', (name) => {
  const { build, steps, optimizer, learningRate } = architectures[name]
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
  const spec = build({ input: [1, 28, 28], steps, labels }, 10)
  expect(spec.output).toEqual([10])
  expect(optimizer({ lr: learningRate }).learningRate).toBe(learningRate)
})

describe('findings', () => {
  const spec = snn({ input: [4], steps: 2 })
    .lif()
    .linear(3)
  const figures = { loss: 0.25, samples: 30, firingRates: { 'layers.0': 0.2 }, firingRate: 0.2 }
  const classes = ['cat', 'dog', 'owl']

  it('name the hardest class and the mix-ups', () => {
    const confusion = [
      [10, 0, 0],
      [3, 6, 1],
      [0, 1, 9],
    ]
    expect(findings({ ...figures, accuracy: 25 / 30, confusion }, spec, classes)).toEqual([
      'Test accuracy: 83.33 % (25 of 30 images right), loss 0.250.',
      'Hardest class: dog (4 of 10 wrong, 40.0 %); easiest: cat (0 of 10 wrong, 0.0 %).',
      'Most frequent mix-ups: dog taken for cat (3×), dog taken for owl (1×), owl taken for dog (1×).',
      'Firing rates (spikes per neuron and time step): 0 lif 0.200.',
    ])
  })

  it('say when nothing was mixed up', () => {
    const confusion = [
      [10, 0, 0],
      [0, 10, 0],
      [0, 0, 10],
    ]
    expect(findings({ ...figures, accuracy: 1, confusion }, spec, classes)[1]).toBe(
      'No image of any class was taken for another.',
    )
  })
})

const start = {
  type: 'start',
  epochs: 2,
  batches: 50,
  totalSteps: 100,
  parameters: 7,
  device: 'cpu',
  threads: 1,
  spikingLayers: ['a', 'b'],
} as const

function stepEvent(step: number): StepEvent {
  return {
    type: 'step',
    epoch: step <= 50 ? 1 : 2,
    step,
    batch: step % 50,
    loss: 0.5,
    accuracy: 0.75,
    learningRate: 1e-3,
    gradientNorm: 1,
    firingRates: { a: 0.1, b: 0.3 },
    samplesPerSecond: 1200,
  }
}

describe('the time left', () => {
  it('follows the last steps, and counts the pauses between epochs', () => {
    let now = 0
    const left = new TimeLeft(() => now)
    left.add({ ...start, epochs: 4, totalSteps: 200 })
    expect(left.seconds).toBeNaN()
    for (let step = 1; step <= 50; step++) {
      now += 2
      left.add(stepEvent(step))
    }
    expect(left.seconds).toBeCloseTo(150 * 2, 6)
    now += 30 // the test
    now += 2
    left.add(stepEvent(51))
    expect(left.seconds).toBeCloseTo(149 * 2 + 2 * 30, 6)
  })

  it('begins at the step a run is resumed from', () => {
    let now = 0
    const left = new TimeLeft(() => now)
    left.add(start)
    left.add({ type: 'resume', path: 'x', epoch: 2, step: 60, skipped: [] })
    now = 3
    left.add(stepEvent(61))
    expect(left.seconds).toBeCloseTo(39 * 3, 6)
  })
})

describe('the live bar', () => {
  const run = new RunningFigures()
  run.add(start)
  for (let step = 1; step <= 60; step++) run.add(stepEvent(step))

  it('smooths without a bias at the start', () => {
    expect([run.loss, run.accuracy, run.firingRate]).toEqual([0.5, 0.75, 0.2].map((value) => expect.closeTo(value, 12)))
    expect(run.samplesPerSecond).toBeCloseTo(1200, 6)
  })

  it('shows every figure where there is room', () => {
    expect(barLine(run, 0.6, 120)).toMatch(
      /^epoch 2\/2 ━{18}─{12} 60 % {2}loss 0\.500 {2}acc 75\.0 % {2}\d:\d\d left {2}1,200\/s {2}rate 0\.200$/,
    )
  })

  it('leaves out what the run has not: accuracy of a receiver, firing of its dense twin', () => {
    const bare = new RunningFigures()
    bare.add(start)
    for (let step = 1; step <= 60; step++) bare.add({ ...stepEvent(step), accuracy: Number.NaN, firingRates: {} })
    expect(barLine(bare, 0.6, 120)).toMatch(/ 60 % {2}loss 0\.500 {2}\d:\d\d left {2}1,200\/s$/)
  })

  it.each([100, 80, 60, 40, 20])('fits a terminal of %i columns', (columns) => {
    const line = barLine(run, 0.6, columns)
    expect(line.length).toBeLessThan(Math.max(columns, 20))
    if (columns >= 40) expect(line).toContain('loss 0.500')
  })
})
