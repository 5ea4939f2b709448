import { ShapeError } from '../errors.js'
import { checkNotEmpty, type Samples } from './samples.js'
import { colours, framed, type PlotSpec } from './theme.js'

/** One neuron over time. All arrays have one entry a step. */
export interface NeuronTrace {
  readonly neuron: string
  /** U[t] before the reset. */
  readonly membrane: Samples
  /** U[t] after the reset; drawn as the foot of each spike's vertical drop. */
  readonly afterReset?: Samples
  readonly spikes: Samples
  readonly threshold: number
  /** I[t]. */
  readonly input?: Samples
}

export interface MembraneTracesOptions {
  readonly title?: string
  readonly subtitle?: string
}

const mostNeurons = 10

/**
 * Membrane against time with the threshold and the firing events: input grey, membrane blue, threshold red, spikes orange; one row
 * a neuron. At most ten rows: the first ones, and the subtitle says so.
 *
 * @throws ShapeError when a neuron's arrays differ in length
 * @throws ArgumentError `ERR_RANGE` without neurons
 */
export function membraneTraces(traces: readonly NeuronTrace[], options: MembraneTracesOptions = {}): PlotSpec {
  checkNotEmpty('membraneTraces', traces)
  for (const trace of traces) checkLengths(trace)
  const shown = traces.slice(0, mostNeurons)
  const cut = shown.length < traces.length ? `first ${shown.length} of ${traces.length} neurons` : ''
  const withInput = shown.some((trace) => trace.input !== undefined)
  const steps = Math.max(...shown.map((trace) => trace.membrane.length))
  const height = shown.length === 1 ? 260 : 90
  return framed(
    { text: options.title ?? 'Membrane traces', subtitle: [options.subtitle ?? '', cut] },
    {
      spacing: 14,
      vconcat: shown.map((trace, i) =>
        tracePanel(trace, { steps, height, withInput, withTime: i === shown.length - 1 }),
      ),
      resolve: { scale: { color: 'shared', shape: 'shared', strokeDash: 'shared' } },
    },
  )
}

function checkLengths(trace: NeuronTrace): void {
  checkNotEmpty(`membraneTraces: membrane of ${trace.neuron}`, trace.membrane)
  const steps = trace.membrane.length
  for (const name of ['spikes', 'afterReset', 'input'] as const) {
    const values = trace[name]
    if (values !== undefined && values.length !== steps) {
      const details = { expected: steps, actual: values.length }
      throw new ShapeError(
        `membraneTraces: ${name} of ${trace.neuron} expects ${steps} steps like the membrane, got ${values.length}`,
        details,
      )
    }
  }
}

interface PanelFrame {
  readonly steps: number
  readonly height: number
  readonly withInput: boolean
  readonly withTime: boolean
}

function tracePanel(trace: NeuronTrace, frame: PanelFrame): object {
  const roles = [...(frame.withInput ? ['input I[t]'] : []), 'membrane U[t]', 'threshold θ', 'spike']
  const range = [...(frame.withInput ? [colours.input] : []), colours.membrane, colours.threshold, colours.spike]
  const color = {
    field: 'role',
    type: 'nominal',
    scale: { domain: roles, range },
    legend: { title: null, orient: 'top' },
  }
  const x = {
    field: 'step',
    type: 'quantitative',
    title: frame.withTime ? 'time step' : null,
    axis: { tickMinStep: 1, labels: frame.withTime },
    scale: { domain: [0.5, frame.steps + 0.5], nice: false, zero: false },
  }
  const y = {
    field: 'value',
    type: 'quantitative',
    title: frame.withInput ? 'input, membrane' : 'membrane',
    axis: { tickCount: frame.height > 100 ? 8 : 4 },
  }
  const lines = { order: { field: 'order' }, x, y, color }
  return {
    title: { text: trace.neuron, fontSize: 11, fontWeight: 'normal', offset: 4 },
    width: 560,
    height: frame.height,
    layer: [
      ...(trace.input === undefined
        ? []
        : [
            {
              data: { values: points('input I[t]', trace.input) },
              mark: { type: 'line', strokeWidth: 1.5 },
              encoding: lines,
            },
          ]),
      { data: { values: sawtooth(trace) }, mark: { type: 'line', strokeWidth: 2 }, encoding: lines },
      {
        data: { values: [{ role: 'threshold θ', value: trace.threshold }] },
        mark: { type: 'rule', strokeWidth: 1.5, strokeDash: [6, 4] },
        encoding: { y, color },
      },
      {
        data: { values: firingEvents(trace) },
        mark: {
          type: 'point',
          filled: true,
          size: frame.height > 100 ? 110 : 60,
          opacity: 1,
          stroke: '#ffffff',
          strokeWidth: 1,
        },
        encoding: { x, y, color },
      },
    ],
  }
}

function points(role: string, values: Samples): object[] {
  return Array.from(values, (value, i) => ({ role, step: i + 1, value, order: 2 * i }))
}

/** Up to U before the reset, straight down to U after it. */
function sawtooth(trace: NeuronTrace): object[] {
  const role = 'membrane U[t]'
  return Array.from(trace.membrane, (value, i) => {
    const top = { role, step: i + 1, value, order: 2 * i }
    const after = trace.afterReset?.[i]
    return after === undefined || after === value ? [top] : [top, { role, step: i + 1, value: after, order: 2 * i + 1 }]
  }).flat()
}

function firingEvents(trace: NeuronTrace): object[] {
  return Array.from(trace.spikes, (spike, i) => ({ spike, role: 'spike', step: i + 1, value: trace.membrane[i]! }))
    .filter((event) => event.spike > 0)
    .map(({ role, step, value }) => ({ role, step, value }))
}
