import { join } from 'node:path'
import { SpikeNorm } from '../nn/index.js'
import { histograms } from '../plot/histogram.js'
import { lineChart } from '../plot/line-chart.js'
import { savePlot } from '../plot/render.js'
import { meanAndDeviation } from '../plot/samples.js'
import { add, manualSeed, mul, noGrad, randn, reshape, scope, type Tensor, tensor } from '../tensor/index.js'
import { type DemoOptions, type DemoResult, demoSeed, numbers, shapeText } from './demo.js'

const [batch, channels, size] = [8, 4, 16]
const steps = 6

/**
 * SpikeNorm on a single step and on a sequence that drifts and widens from step to step (mean t - 1, deviation 1 + t/4): every step is
 * brought to mean 0 and deviation 1 by its own statistics, none is mixed with another. Pictures: `norm-histograms`, `norm-steps`.
 *
 * @throws ArgumentError `ERR_RANGE` for a seed that is not a whole number from 0 on
 */
export async function demoNorm(options: DemoOptions): Promise<DemoResult> {
  const seed = demoSeed(options)
  using norm = new SpikeNorm(channels)
  const { single, series } = scope(() => {
    manualSeed(seed)
    const still = add(2, mul(3, randn([batch, channels, size, size])))
    return { single: normalised(norm, still), series: normalised(norm, drifting()) }
  })
  const before = byStep(series.before)
  const after = byStep(series.after)
  const time = before.map((_, t) => t + 1)
  const bins = histograms(
    [
      { title: `single step ${shapeText(single.shape)}`, series: beforeAndAfter(single) },
      { title: `time series ${shapeText(series.shape)}`, series: beforeAndAfter(series) },
    ],
    { title: 'SpikeNorm: before and after', subtitle: 'training mode, γ = 1, β = 0', quantity: 'value' },
  )
  const bySteps = lineChart({
    series: [
      { name: 'mean before', x: time, y: before.map((step) => step.mean) },
      { name: 'std before', x: time, y: before.map((step) => step.deviation) },
      { name: 'mean after', x: time, y: after.map((step) => step.mean), style: 'dashed' },
      { name: 'std after', x: time, y: after.map((step) => step.deviation), style: 'dashed' },
    ],
    xTitle: 'time step',
    xWhole: true,
    yTitle: 'mean and standard deviation of the step',
    title: 'SpikeNorm: every step by its own statistics',
  })
  return {
    lines: [
      `SpikeNorm: ${channels} channels, training mode, seed ${seed}`,
      ...figures(`Single step ${shapeText(single.shape)}`, single),
      ...figures(`Time series ${shapeText(series.shape)}`, series),
      'Step   mean before   std before   mean after   std after',
      ...before.map((step, t) => {
        const cells = [step.mean, step.deviation, after[t]!.mean, after[t]!.deviation].map(figure)
        return `${String(t + 1).padStart(4)}${cells[0]!.padStart(14)}${cells[1]!.padStart(13)}${cells[2]!.padStart(13)}${cells[3]!.padStart(12)}`
      }),
    ],
    pictures: [
      ...(await savePlot(join(options.directory, 'norm-histograms'), bins, ['svg', 'png'])),
      ...(await savePlot(join(options.directory, 'norm-steps'), bySteps, ['svg', 'png'])),
    ],
  }
}

interface Normalised {
  readonly shape: readonly number[]
  readonly before: Float32Array
  readonly after: Float32Array
}

function normalised(norm: SpikeNorm, input: Tensor): Normalised {
  const output = noGrad(() => norm.forward(input))
  return { shape: output.shape, before: numbers(input), after: numbers(output) }
}

/** `[batch, T, channels, size, size]`: step t = 1..T has mean t - 1 and deviation 1 + t/4. */
function drifting(): Tensor {
  const perStep = (value: (step: number) => number): Tensor =>
    reshape(tensor(Float32Array.from({ length: steps }, (_, t) => value(t + 1))), [1, steps, 1, 1, 1])
  const noise = randn([batch, steps, channels, size, size])
  return add(
    perStep((t) => t - 1),
    mul(
      perStep((t) => 1 + t / 4),
      noise,
    ),
  )
}

function byStep(values: Float32Array): { mean: number; deviation: number }[] {
  const frame = channels * size * size
  return Array.from({ length: steps }, (_, t) => {
    const step = new Float32Array(batch * frame)
    for (let b = 0; b < batch; b++) {
      const start = (b * steps + t) * frame
      step.set(values.subarray(start, start + frame), b * frame)
    }
    return meanAndDeviation(step)
  })
}

function beforeAndAfter({ before, after }: Normalised) {
  return [
    { name: 'before', values: before },
    { name: 'after', values: after },
  ]
}

function figures(name: string, { before, after }: Normalised): string[] {
  const [first, last] = [meanAndDeviation(before), meanAndDeviation(after)]
  return [
    `${name}:`,
    `  before: mean ${figure(first.mean)}, std ${figure(first.deviation)}`,
    `  after:  mean ${figure(last.mean)}, std ${figure(last.deviation)}`,
  ]
}

/** Three decimals, without "-0.000". */
function figure(value: number): string {
  const text = value.toFixed(3)
  return Number(text) === 0 ? '0.000' : text
}
