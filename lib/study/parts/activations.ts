/** Part `activations`: activation functions fitted to the F-I curve, and where they miss it. */
import { lineChart } from '../../plot/index.js'
import type { Cell, ReportPicture, ReportSection, ReportTable } from '../../report/section.js'
import { type ActivationKind, activationRate } from '../activation.js'
import {
  closedFormCurve,
  type FiringCurve,
  firingCurve,
  longCurrents,
  publishedCurrents,
  publishedProtocol,
} from '../firing-curve.js'
import { type ActivationFit, type FitErrors, fitActivations, fitErrors } from '../fit.js'
import { publishedNeuron, rheobase } from '../neuron.js'
import { neuronParameters } from './neuron.js'
import type { StudyPart } from './part.js'

const neuron = publishedNeuron

export const activationNames: Readonly<Record<ActivationKind, string>> = {
  relu: 'ReLU',
  sigmoid: 'sigmoid',
  softplus: 'softplus',
  tanh: 'tanh',
  hardSigmoid: 'hard sigmoid',
}

export const activationsPart: StudyPart = {
  name: 'activations',
  summary: 'ReLU, sigmoid, softplus, tanh and hard sigmoid fitted to the F-I curve',
  kept: false,
  async run(context) {
    context.progress(0, 'published range')
    const short = fitted('0 to 495 pA', await firingCurve(neuron, publishedCurrents(), publishedProtocol))
    context.progress(0.4, 'up to 20 rheobases')
    const long = fitted('0 to 20 rheobases', closedFormCurve(neuron, longCurrents(neuron)))
    return section(short, long)
  },
}

interface FittedRange {
  readonly range: string
  readonly curve: FiringCurve
  readonly fits: readonly { readonly fit: ActivationFit; readonly errors: FitErrors }[]
}

function fitted(range: string, curve: FiringCurve): FittedRange {
  const fits = fitActivations(curve).map((fit) => ({ fit, errors: fitErrors(fit, neuron, curve.currents.at(-1)!) }))
  return { range, curve, fits }
}

function section(short: FittedRange, long: FittedRange): ReportSection {
  const [relu, sigmoid] = [numbersOf(short, 'relu'), numbersOf(short, 'sigmoid')]
  const [reluLong, sigmoidLong] = [numbersOf(long, 'relu'), numbersOf(long, 'sigmoid')]
  const best = (range: FittedRange): string => {
    const { fit } = range.fits.reduce((a, b) => (b.fit.r2 > a.fit.r2 ? b : a))
    return `${activationNames[fit.activation.kind]} (R² ${fit.r2.toFixed(4)})`
  }
  return {
    part: activationsPart.name,
    title: 'Activation functions against the neuron',
    text: [
      'Least-squares fits, each to its global optimum: ReLU and hard sigmoid exactly, over all ways to divide the currents among their straight parts; ' +
        'sigmoid, softplus and tanh by a search over location and width with the best amplitude for each.',
      'The published range (0 to 495 pA, simulated by the published protocol) ends where the neuron still rises; up to 20 rheobases (closed form) its ' +
        'ceiling shows. "At threshold" is what the fit gives at the rheobase, where the neuron gives 0; "at saturation" is its error at the largest ' +
        'current; "at infinity" compares the ceilings, 1 / t_ref = 500 Hz for the neuron.',
    ],
    findings: [
      `ReLU over the published range: slope ${relu.slope!.toFixed(4)} Hz/pA, offset ${relu.offset!.toFixed(1)} pA, R² ${relu.r2!.toFixed(4)} (published .4278, 141.5, .9784).`,
      `Sigmoid: L ${sigmoid.ceiling!.toFixed(1)} Hz, k ${sigmoid.steepness!.toFixed(4)} /pA, x0 ${sigmoid.midpoint!.toFixed(1)} pA, R² ${sigmoid.r2!.toFixed(4)} (published 128.8, .0198, 282.5, .9788).`,
      `Up to 20 rheobases: R² ${reluLong.r2!.toFixed(3)} for ReLU and ${sigmoidLong.r2!.toFixed(3)} for the sigmoid (published .830 and .963).`,
      `Neither has both ends: at the rheobase, where the neuron is silent, ReLU already gives ${relu.atThreshold!.toFixed(1)} Hz and the sigmoid ` +
        `${sigmoid.atThreshold!.toFixed(1)} Hz; at 495 pA they are off by ${signed(relu.atSaturation!)} and ${signed(sigmoid.atSaturation!)} Hz.`,
      `Best of the five: ${best(short)} over the published range, ${best(long)} up to 20 rheobases.`,
    ],
    parameters: neuronParameters(),
    tables: [
      publishedTable(relu, sigmoid, reluLong, sigmoidLong),
      fitTable([short, long]),
      curveTable(short),
      curveTable(long),
    ],
    pictures: [
      picture(
        'activations-published',
        short,
        'Fits over the published range. Softplus becomes a ReLU, tanh a straight line.',
      ),
      picture('activations-long', long, 'The same up to 20 rheobases: what saturates fits, what does not fails.'),
      picture(
        'activations-threshold',
        short,
        'Around the rheobase of 200 pA: the neuron starts with a vertical tangent, no activation does.',
        (current) => current >= 100 && current <= 300,
      ),
    ],
  }
}

/** Parameters, goodness and errors of one fit by name. */
function numbersOf({ fits }: FittedRange, kind: ActivationKind): Readonly<Record<string, number>> {
  const { fit, errors } = fits.find((one) => one.fit.activation.kind === kind)!
  const { kind: _kind, ...parameters } = fit.activation
  const { atThreshold, atSaturation } = errors
  return { ...parameters, r2: fit.r2, atThreshold, atSaturation }
}

function signed(value: number): string {
  return `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(1)}`
}

function publishedTable(
  ...[relu, sigmoid, reluLong, sigmoidLong]: readonly Readonly<Record<string, number>>[]
): ReportTable {
  const rows: readonly (readonly [string, string, number])[] = [
    ['ReLU slope (Hz/pA)', '.4278', relu!.slope!],
    ['ReLU offset (pA)', '141.5', relu!.offset!],
    ['ReLU R²', '.9784', relu!.r2!],
    ['sigmoid L (Hz)', '128.8', sigmoid!.ceiling!],
    ['sigmoid k (1/pA)', '.0198', sigmoid!.steepness!],
    ['sigmoid x0 (pA)', '282.5', sigmoid!.midpoint!],
    ['sigmoid R²', '.9788', sigmoid!.r2!],
    ['ReLU R², 20 rheobases', '.830', reluLong!.r2!],
    ['sigmoid R², 20 rheobases', '.963', sigmoidLong!.r2!],
  ]
  return {
    name: 'activations-published-figures',
    title: 'Published figures',
    columns: [{ name: 'figure' }, { name: 'published' }, { name: 'here' }, { name: 'same to the printed digits' }],
    rows: rows.map(([name, printed, value]) => {
      const digits = printed.split('.')[1]!.length
      return [name, printed, value, value.toFixed(digits) === Number(printed).toFixed(digits) ? 'yes' : 'no']
    }),
  }
}

function fitTable(ranges: readonly FittedRange[]): ReportTable {
  const hertz = (name: string) => ({ name, unit: 'Hz' })
  return {
    name: 'activations-fits',
    title: 'All fits',
    columns: [
      { name: 'range' },
      { name: 'activation' },
      { name: 'parameters' },
      { name: 'R²' },
      hertz('root mean square'),
      hertz('largest error'),
      hertz('at threshold'),
      hertz('at saturation'),
      hertz('at infinity'),
      { name: 'limit' },
    ],
    rows: ranges.flatMap(({ range, fits }) =>
      fits.map(({ fit, errors }): Cell[] => [
        range,
        activationNames[fit.activation.kind],
        parameterText(fit),
        fit.r2,
        fit.rootMeanSquare,
        fit.largestError,
        errors.atThreshold,
        errors.atSaturation,
        errors.atInfinity,
        fit.limit,
      ]),
    ),
  }
}

const units: Readonly<Record<string, string>> = {
  slope: ' Hz/pA',
  offset: ' pA',
  width: ' pA',
  ceiling: ' Hz',
  steepness: ' /pA',
  midpoint: ' pA',
}

function parameterText({ activation }: ActivationFit): string {
  const { kind: _kind, ...parameters } = activation
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${Number((value as number).toPrecision(6))}${units[name]}`)
    .join(', ')
}

function curveTable({ range, curve, fits }: FittedRange): ReportTable {
  const name = range.includes('rheobases') ? 'activations-long' : 'activations-published'
  return {
    name,
    title: `Rates and fits, ${range}`,
    fileOnly: true,
    columns: [
      { name: 'current', unit: 'pA' },
      { name: 'neuron', unit: 'Hz' },
      ...fits.map(({ fit }) => ({ name: activationNames[fit.activation.kind], unit: 'Hz' })),
    ],
    rows: Array.from(curve.currents, (current, k) => [
      current,
      curve.rates[k]!,
      ...fits.map(({ fit }) => activationRate(fit.activation, current)),
    ]),
  }
}

function picture(
  name: string,
  { range, curve, fits }: FittedRange,
  caption: string,
  shown: (current: number) => boolean = () => true,
): ReportPicture {
  const kept = Array.from(curve.currents.keys()).filter((k) => shown(curve.currents[k]!))
  const x = kept.map((k) => curve.currents[k]!)
  const series = fits.map(({ fit }) => ({
    name: `${activationNames[fit.activation.kind]}, R² ${fit.r2.toFixed(4)}`,
    x,
    y: x.map((current) => activationRate(fit.activation, current)),
    // Softplus may lie on ReLU: both show where one is solid.
    style: fit.activation.kind === 'relu' ? ('line' as const) : ('dashed' as const),
  }))
  return {
    name,
    caption,
    plot: lineChart({
      series: [
        { name: 'neuron', x, y: kept.map((k) => curve.rates[k]!), style: x.length > 200 ? 'line' : 'points' },
        ...series,
      ],
      xTitle: 'input current (pA)',
      yTitle: 'firing rate (Hz)',
      title: 'Activation functions against the F-I curve',
      subtitle: `${range}; rheobase ${rheobase(neuron)} pA`,
    }),
  }
}
