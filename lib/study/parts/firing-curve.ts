/** Part `fi`: the F-I curve in closed form, simulated, without units, and under noise. */
import { lineChart } from '../../plot/index.js'
import type { ReportSection, ReportTable } from '../../report/section.js'
import type { NoiseCurrent } from '../current.js'
import { dimensionlessRate, fromDimensionless, fromDimensionlessCurrent, toDimensionless } from '../dimensionless.js'
import {
  closedFormCurve,
  currentRange,
  type FiringCurve,
  firingCurve,
  longCurrents,
  measuredRates,
  publishedCurrents,
  publishedProtocol,
} from '../firing-curve.js'
import { publishedNeuron, rheobase, timeConstant } from '../neuron.js'
import { simulate } from '../simulate.js'
import { neuronParameters } from './neuron.js'
import type { StudyContext, StudyPart } from './part.js'

const neuron = publishedNeuron
const deviations = [0, 25, 50, 100]

export const firingCurvePart: StudyPart = {
  name: 'fi',
  summary: 'firing rate against current: closed form, simulated, without units, under noise',
  kept: false,
  async run(context) {
    context.progress(0, 'published range')
    const short = await rangeOf(publishedCurrents())
    context.progress(0.2, 'up to 20 rheobases')
    const long = await rangeOf(longCurrents(neuron))
    context.progress(0.4, 'neurons with the same dimensionless numbers')
    const scaled = await scaledCurves()
    context.progress(0.6, 'noise')
    const noisy = await noisyCurves(context)
    return section(short, long, scaled, noisy)
  },
}

interface Range {
  readonly closed: FiringCurve
  readonly exact: FiringCurve
  readonly euler: FiringCurve
}

async function rangeOf(currents: Float64Array): Promise<Range> {
  return {
    closed: closedFormCurve(neuron, currents),
    exact: await firingCurve(neuron, currents),
    euler: await firingCurve(neuron, currents, publishedProtocol),
  }
}

/** Neurons of other units and the published one's dimensionless numbers. */
const relatives = [
  { name: 'published: 100 pF, 10 nS', units: neuron },
  { name: '237 pF, 11.3 nS', units: { capacitance: 237, conductance: 11.3, rest: -64, threshold: -49.5 } },
  { name: '21 pF, 3.7 nS', units: { capacitance: 21, conductance: 3.7, rest: -71, threshold: -46.3 } },
]

interface ScaledCurve {
  readonly name: string
  /** I / I_rheo */
  readonly currents: Float64Array
  /** f τ */
  readonly rates: Float64Array
}

async function scaledCurves(): Promise<readonly ScaledCurve[]> {
  const numbers = toDimensionless(neuron)
  const currents = currentRange(0, 5, 0.125)
  const measured = await Promise.all(
    relatives.map(async ({ name, units }) => {
      const relative = fromDimensionless(numbers, units)
      const tau = timeConstant(relative)
      const physical = currents.map((i) => fromDimensionlessCurrent(relative, i))
      const { rates } = await firingCurve(relative, physical, { duration: 100 * tau })
      return { name, currents, rates: rates.map((rate) => (rate * tau) / 1000) }
    }),
  )
  const fine = currentRange(0, 5, 0.01)
  return [{ name: 'closed form', currents: fine, rates: fine.map((i) => dimensionlessRate(numbers, i)) }, ...measured]
}

interface NoisyCurve extends FiringCurve {
  /** pA */
  readonly deviation: number
  /** ms */
  readonly duration: number
}

/** Rate against mean current, each mean with noise of its own. */
async function noisyCurves({ seed, quick }: StudyContext): Promise<readonly NoisyCurve[]> {
  const currents = currentRange(0, 495, 15)
  const duration = quick ? 2000 : 10_000
  return Promise.all(
    deviations.map(async (deviation) => {
      const inputs = Array.from(
        currents,
        (mean, k): NoiseCurrent => ({
          kind: 'noise',
          mean,
          deviation,
          interval: 0.5,
          correlation: 5,
          seed: seed * 1000 + k,
        }),
      )
      const run = await simulate(neuron, inputs, { duration })
      return { deviation, duration, currents, rates: measuredRates(run, { measure: 'count', settle: 100 }) }
    }),
  )
}

function section(
  short: Range,
  long: Range,
  scaled: readonly ScaledCurve[],
  noisy: readonly NoisyCurve[],
): ReportSection {
  const top = short.euler.rates.at(-1)!
  const fine = closedFormCurve(neuron, currentRange(0, 495, 1))
  const measured = scaled.slice(1)
  const spread = largestOf(measured[0]!.currents.length, (k) => {
    const rates = measured.map(({ rates }) => rates[k]!)
    return Math.max(...rates) - Math.min(...rates)
  })
  const below = noisy.at(-1)!
  return {
    part: firingCurvePart.name,
    title: 'Firing rate against current',
    text: [
      'A constant current above the rheobase makes the neuron fire at f(I) = 1 / (t_ref + τ ln((I/g + E − V_reset) / (I/g + E − V_th))): a sharp ' +
        'threshold with a vertical tangent, and a ceiling of 1 / t_ref that is approached slowly.',
      'Points are simulated: exactly (inverse of the mean time between spikes in 1000 ms), and by the published protocol (Euler with 0.1 ms, 1000 ms, ' +
        'spikes after the first 100 ms counted).',
      'Without units (v = (V − E) / (V_th − E), i = I / I_rheo, s = t / τ) all that remains of a neuron is v_reset and t_ref / τ. The three neurons ' +
        `below share v_reset = ${toDimensionless(neuron).reset} and t_ref / τ = ${toDimensionless(neuron).refractory}.`,
    ],
    findings: [
      `${top.toFixed(1)} Hz at 495 pA by the published protocol (published: 138.9 Hz).`,
      `Simulated exactly, no rate up to 20 rheobases is further than ${farthest(long).toExponential(1)} Hz from the closed form; by Euler ` +
        `${farthest({ ...long, exact: long.euler }).toFixed(1)} Hz, at the largest currents.`,
      `Three neurons with the same dimensionless numbers have the same scaled curve: they differ by at most ${spread.toExponential(1)} spikes per τ.`,
      `Noise softens the threshold: with ±${below.deviation} pA the neuron fires ${rateAt(below, 195).toFixed(1)} Hz at a mean of 195 pA, below the rheobase.`,
    ],
    parameters: [
      ...neuronParameters(),
      { name: 'noise: held for', value: 0.5, unit: 'ms' },
      { name: 'noise: correlation time', value: 5, unit: 'ms' },
      { name: 'noise: simulated for each mean and deviation', value: noisy[0]!.duration / 1000, unit: 's' },
    ],
    tables: [
      rangeTable('fi-published', 'Rates over the published range', short),
      rangeTable('fi-long', 'Rates up to 20 rheobases', long),
      {
        name: 'fi-dimensionless',
        title: 'Scaled curves',
        fileOnly: true,
        columns: [{ name: 'neuron' }, { name: 'I / I_rheo' }, { name: 'f τ' }],
        rows: scaled.flatMap(({ name, currents, rates }) => Array.from(currents, (i, k) => [name, i, rates[k]!])),
      },
      {
        name: 'fi-noise',
        title: 'Rates under noise',
        fileOnly: true,
        columns: [
          { name: 'deviation', unit: 'pA' },
          { name: 'mean current', unit: 'pA' },
          { name: 'rate', unit: 'Hz' },
        ],
        rows: noisy.flatMap(({ deviation, currents, rates }) =>
          Array.from(currents, (i, k) => [deviation, i, rates[k]!]),
        ),
      },
    ],
    pictures: [
      {
        name: 'fi-curve',
        caption:
          'The closed form, and the published protocol, whose rates come in steps of a spike in 900 ms. Exact simulation lies on the line.',
        plot: lineChart({
          series: [
            { name: 'Euler, published protocol', x: short.euler.currents, y: short.euler.rates, style: 'points' },
            { name: 'closed form', x: fine.currents, y: fine.rates },
          ],
          xTitle: 'input current (pA)',
          yTitle: 'firing rate (Hz)',
          title: 'F-I curve',
          subtitle: 'published range',
        }),
      },
      {
        name: 'fi-long',
        caption: 'At 20 times the rheobase the rate has reached four fifths of its ceiling, 1 / t_ref.',
        plot: lineChart({
          series: [
            { name: 'closed form', x: long.closed.currents, y: long.closed.rates },
            { name: 'Euler, 0.1 ms', x: long.euler.currents, y: long.euler.rates },
            {
              name: '1 / t_ref',
              x: ends(long),
              y: [1000 / neuron.refractory, 1000 / neuron.refractory],
              style: 'dashed',
            },
          ],
          xTitle: 'input current (pA)',
          yTitle: 'firing rate (Hz)',
          title: 'F-I curve to 20 rheobases',
          subtitle: `rheobase ${rheobase(neuron)} pA`,
        }),
      },
      {
        name: 'fi-dimensionless',
        caption: 'Spikes per time constant over multiples of the rheobase: three neurons, one curve.',
        plot: lineChart({
          series: scaled.map(({ name, currents, rates }, k) => ({
            name,
            x: currents,
            y: rates,
            ...(k > 0 ? { style: 'points' as const } : {}),
          })),
          xTitle: 'I / rheobase',
          yTitle: 'f τ (spikes per time constant)',
          title: 'Without units',
        }),
      },
      {
        name: 'fi-noise',
        caption:
          'Noise lets the neuron fire below its rheobase: the sharp threshold becomes a soft one, as of a sigmoid or softplus.',
        plot: lineChart({
          series: noisy.map(({ deviation, currents, rates }) => ({ name: `± ${deviation} pA`, x: currents, y: rates })),
          xTitle: 'mean current (pA)',
          yTitle: 'firing rate (Hz)',
          title: 'F-I curve under noise',
        }),
      },
    ],
  }
}

function rangeTable(name: string, title: string, { closed, exact, euler }: Range): ReportTable {
  return {
    name,
    title,
    fileOnly: true,
    columns: [
      { name: 'current', unit: 'pA' },
      { name: 'closed form', unit: 'Hz' },
      { name: 'exact simulation', unit: 'Hz' },
      { name: 'Euler, published protocol', unit: 'Hz' },
    ],
    rows: Array.from(closed.currents, (current, k) => [current, closed.rates[k]!, exact.rates[k]!, euler.rates[k]!]),
  }
}

/** Largest difference of the simulation from the closed form, Hz. */
function farthest({ closed, exact }: Pick<Range, 'closed' | 'exact'>): number {
  return largestOf(closed.rates.length, (k) => Math.abs(closed.rates[k]! - exact.rates[k]!))
}

function largestOf(count: number, value: (k: number) => number): number {
  let largest = 0
  for (let k = 0; k < count; k++) largest = Math.max(largest, value(k))
  return largest
}

function rateAt({ currents, rates }: FiringCurve, current: number): number {
  return rates[currents.indexOf(current)]!
}

function ends({ closed }: Range): number[] {
  return [closed.currents[0]!, closed.currents.at(-1)!]
}
