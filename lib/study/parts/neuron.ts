/** Part `neuron`: the neuron under constant, step, ramp and noisy currents; Euler against the exact solution. */
import { lineChart, type VoltageTrace, voltageTraces } from '../../plot/index.js'
import type { ReportParameter, ReportSection, ReportTable } from '../../report/section.js'
import { type Current, currentAt } from '../current.js'
import { firingRate, type LifNeuron, publishedNeuron, rheobase, timeConstant } from '../neuron.js'
import { publishedStep, type Simulation, simulate } from '../simulate.js'
import type { StudyContext, StudyPart } from './part.js'

const neuron = publishedNeuron

/** Spike counts as published: Euler with 0.1 ms. */
const published = [
  { current: 205, duration: 500, spikes: 12 },
  { current: 210, duration: 500, spikes: 15 },
  { current: 210, duration: 200, spikes: 6 },
  { current: 400, duration: 200, spikes: 22 },
]

export const neuronPart: StudyPart = {
  name: 'neuron',
  summary: 'the LIF neuron: spike counts, currents of every kind, the error of Euler',
  kept: false,
  async run(context) {
    context.progress(0, 'constant currents')
    const constant = await constantCurrents()
    context.progress(0.4, 'step, ramp and noise')
    const shaped = await shapedCurrents(context)
    context.progress(0.7, "Euler's error")
    const convergence = await eulerErrors(context)
    return section(constant, shaped, convergence)
  },
}

/** The neuron's numbers, for the report. */
export function neuronParameters(): readonly ReportParameter[] {
  const { capacitance, conductance, rest, threshold, reset, refractory } = neuron
  return [
    { name: 'C, membrane capacitance', value: capacitance, unit: 'pF' },
    { name: 'g, leak conductance', value: conductance, unit: 'nS' },
    { name: 'τ = C / g, time constant', value: timeConstant(neuron), unit: 'ms' },
    { name: 'E, resting potential', value: rest, unit: 'mV' },
    { name: 'V_th, threshold', value: threshold, unit: 'mV' },
    { name: 'V_reset, reset potential', value: reset, unit: 'mV' },
    { name: 't_ref, refractory period', value: refractory, unit: 'ms' },
    { name: 'I_rheo = g (V_th − E), rheobase', value: rheobase(neuron), unit: 'pA' },
  ]
}

interface ConstantRun {
  readonly current: number
  readonly duration: number
  readonly spikes: number
  readonly euler: Simulation
  readonly exact: Simulation
}

function constantCurrents(): Promise<readonly ConstantRun[]> {
  return Promise.all(
    published.map(async ({ current, duration, spikes }) => ({
      current,
      duration,
      spikes,
      euler: await simulate(neuron, current, { method: 'euler', dt: publishedStep, duration, sampling: 0.5 }),
      exact: await simulate(neuron, current, { duration }),
    })),
  )
}

interface ShapedRun {
  readonly name: string
  readonly run: Simulation
  readonly current: Float64Array
}

async function shapedCurrents({ seed }: StudyContext): Promise<readonly ShapedRun[]> {
  const duration = 200
  const currents: readonly (readonly [string, Current])[] = [
    ['step of 300 pA from 40 to 140 ms', { kind: 'step', amplitude: 300, from: 40, until: 140 }],
    ['ramp from 0 to 500 pA', { kind: 'ramp', start: 0, end: 500 }],
    [`noise, 190 ± 80 pA, held 0.5 ms, correlated over 5 ms, seed ${seed}`, noiseBelowRheobase(seed)],
  ]
  const run = await simulate(
    neuron,
    currents.map(([, current]) => current),
    { duration, sampling: 0.5 },
  )
  return currents.map(([name, current], row) => ({
    name,
    run: {
      duration,
      spikes: [run.spikes[row]!],
      voltage: { times: run.voltage!.times, values: [run.voltage!.values[row]!] },
    },
    current: currentAt(current, run.voltage!.times, duration),
  }))
}

function noiseBelowRheobase(seed: number): Current {
  return { kind: 'noise', mean: 190, deviation: 80, interval: 0.5, correlation: 5, seed }
}

interface EulerError {
  readonly dt: number
  /** ms, of the tenth spike. */
  readonly error: number
  readonly rate: number
}

const errorCurrent = 400

/** How far the tenth spike under 400 pA is from the exact one. */
async function eulerErrors({ quick }: StudyContext): Promise<readonly EulerError[]> {
  const duration = 120
  const tenth = ({ spikes }: Simulation): number => spikes[0]![9]!
  const truth = tenth(await simulate(neuron, errorCurrent, { duration }))
  const steps = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, ...(quick ? [] : [5e-4, 2e-4, 1e-4])]
  return Promise.all(
    steps.map(async (dt) => {
      const run = await simulate(neuron, errorCurrent, { method: 'euler', dt, duration })
      const [first, last] = [run.spikes[0]![0]!, tenth(run)]
      return { dt, error: Math.abs(last - truth), rate: 9000 / (last - first) }
    }),
  )
}

function section(
  constant: readonly ConstantRun[],
  shaped: readonly ShapedRun[],
  convergence: readonly EulerError[],
): ReportSection {
  const same = constant.every(({ euler, spikes }) => euler.spikes[0]!.length === spikes)
  const counts = constant.map(({ euler }) => euler.spikes[0]!.length).join(', ')
  const atStep = convergence.find(({ dt }) => dt === publishedStep)!
  return {
    part: neuronPart.name,
    title: 'The neuron',
    text: [
      'A leaky integrate-and-fire neuron in physical units: C dV/dt = −g (V − E) + I; where V reaches V_th it spikes, is set to V_reset and held ' +
        'there for t_ref. Below the rheobase I_rheo = g (V_th − E) a constant current never makes it fire.',
      'Two ways to solve it: explicit Euler with 0.1 ms, as published, and the exact solution, which is known in closed form between two events, so ' +
        'that no time step is needed and spike times are right to 1e-9 ms.',
    ],
    findings: [
      `Spike counts by Euler: ${counts}; published: ${published.map(({ spikes }) => spikes).join(', ')}${same ? ' (all equal)' : ' (they differ)'}.`,
      `With the published step of ${publishedStep} ms the tenth spike under ${errorCurrent} pA is ${atStep.error.toFixed(3)} ms from where it should be; ` +
        'the error falls in proportion to the step.',
      `Noise around 190 pA, below the rheobase, makes the neuron fire ${shaped[2]!.run.spikes[0]!.length} times in 200 ms; without noise it never would.`,
    ],
    parameters: [...neuronParameters(), { name: 'dt, Euler step', value: publishedStep, unit: 'ms' }],
    tables: [countTable(constant), errorTable(convergence), spikeTable(constant, shaped)],
    pictures: [
      {
        name: 'neuron-constant',
        caption:
          'Just above the rheobase of 200 pA the neuron is slow; at twice the rheobase it fires every 9 ms. Euler, 0.1 ms.',
        plot: voltageTraces(
          constant.map(({ current, duration, euler }) =>
            traceOf(`${current} pA for ${duration} ms: ${euler.spikes[0]!.length} spikes`, neuron, euler),
          ),
          { title: 'Constant currents', subtitle: 'explicit Euler, 0.1 ms' },
        ),
      },
      {
        name: 'neuron-currents',
        caption:
          'A step, a ramp and noise whose mean lies below the rheobase, each solved exactly; the current is grey.',
        plot: voltageTraces(
          shaped.map(({ name, run, current }) => ({ ...traceOf(name, neuron, run), current })),
          { title: 'Step, ramp and noise', subtitle: 'exact integration between events' },
        ),
      },
      {
        name: 'neuron-euler-error',
        caption: `Distance of the tenth spike under ${errorCurrent} pA from the exact one. Euler is of first order; spikes fall on steps.`,
        plot: lineChart({
          series: [
            {
              name: 'Euler',
              x: convergence.map(({ dt }) => dt),
              y: convergence.map(({ error }) => error),
              style: 'points',
            },
            { name: 'in proportion', ...proportional(convergence, atStep), style: 'dashed' },
          ],
          xTitle: 'time step (ms)',
          yTitle: 'error of the tenth spike (ms)',
          xScale: 'log',
          yScale: 'log',
          title: 'What the time step costs',
        }),
      },
    ],
  }
}

function proportional(convergence: readonly EulerError[], through: EulerError): { x: number[]; y: number[] } {
  const x = convergence.map(({ dt }) => dt)
  return { x, y: x.map((dt) => (through.error * dt) / through.dt) }
}

function traceOf(title: string, { threshold }: LifNeuron, run: Simulation): VoltageTrace {
  return { title, threshold, times: run.voltage!.times, voltage: run.voltage!.values[0]!, spikes: run.spikes[0]! }
}

function countTable(constant: readonly ConstantRun[]): ReportTable {
  return {
    name: 'neuron-spike-counts',
    title: 'Spike counts',
    columns: [
      { name: 'current', unit: 'pA' },
      { name: 'duration', unit: 'ms' },
      { name: 'published' },
      { name: 'Euler 0.1 ms' },
      { name: 'exact' },
      { name: 'rate, closed form', unit: 'Hz' },
    ],
    rows: constant.map(({ current, duration, spikes, euler, exact }) => [
      current,
      duration,
      spikes,
      euler.spikes[0]!.length,
      exact.spikes[0]!.length,
      firingRate(neuron, current),
    ]),
  }
}

function errorTable(convergence: readonly EulerError[]): ReportTable {
  return {
    name: 'neuron-euler-error',
    title: `Euler against the exact solution, ${errorCurrent} pA`,
    columns: [
      { name: 'dt', unit: 'ms' },
      { name: 'error of the tenth spike', unit: 'ms' },
      { name: 'rate', unit: 'Hz' },
      { name: 'closed form', unit: 'Hz' },
    ],
    rows: convergence.map(({ dt, error, rate }) => [dt, error, rate, firingRate(neuron, errorCurrent)]),
  }
}

function spikeTable(constant: readonly ConstantRun[], shaped: readonly ShapedRun[]): ReportTable {
  const trains = [
    ...constant.flatMap(({ current, duration, euler, exact }) => [
      { name: `${current} pA for ${duration} ms`, method: 'euler', times: euler.spikes[0]! },
      { name: `${current} pA for ${duration} ms`, method: 'exact', times: exact.spikes[0]! },
    ]),
    ...shaped.map(({ name, run }) => ({ name, method: 'exact', times: run.spikes[0]! })),
  ]
  return {
    name: 'neuron-spike-times',
    title: 'Spike times',
    fileOnly: true,
    columns: [{ name: 'current' }, { name: 'method' }, { name: 'time', unit: 'ms' }],
    rows: trains.flatMap(({ name, method, times }) => Array.from(times, (time) => [name, method, time])),
  }
}
