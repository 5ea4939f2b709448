import { ShapeError } from '../errors.js'
import { checkNotEmpty, type Samples } from './samples.js'
import { colours, framed, type PlotSpec } from './theme.js'

/** One neuron over continuous time. */
export interface VoltageTrace {
  readonly title: string
  /** ms */
  readonly times: Samples
  /** mV, one a time. */
  readonly voltage: Samples
  /** ms */
  readonly spikes: Samples
  /** mV */
  readonly threshold: number
  /** pA, one a time; drawn in a strip below. */
  readonly current?: Samples
}

/**
 * Membrane potential against time, one row a trace: voltage blue, threshold red, an orange mark for each spike, the current grey below.
 *
 * @throws ShapeError when a trace's arrays differ in length
 * @throws ArgumentError `ERR_RANGE` without traces
 */
export function voltageTraces(
  traces: readonly VoltageTrace[],
  options: { readonly title: string; readonly subtitle?: string },
): PlotSpec {
  checkNotEmpty('voltageTraces', traces)
  for (const { title, times, voltage, current } of traces) {
    checkNotEmpty(`voltageTraces: times of ${title}`, times)
    for (const [name, values] of Object.entries({ voltage, current })) {
      if (values !== undefined && values.length !== times.length) {
        const details = { expected: times.length, actual: values.length }
        const wanted = `${times.length} values like the times`
        throw new ShapeError(`voltageTraces: ${name} of ${title} expects ${wanted}, got ${values.length}`, details)
      }
    }
  }
  // One time axis below serves all only where all have the same.
  const common = traces.every(
    ({ times }) => times[0] === traces[0]!.times[0] && lastOf(times) === lastOf(traces[0]!.times),
  )
  return framed(
    { text: options.title, subtitle: [options.subtitle ?? ''] },
    {
      spacing: 16,
      vconcat: traces.map((trace, i) => panels(trace, !common || i === traces.length - 1)),
      resolve: { scale: { color: 'shared' } },
    },
  )
}

function panels(trace: VoltageTrace, withTime: boolean): object {
  const voltage = voltagePanel(trace, withTime && trace.current === undefined)
  if (trace.current === undefined) return voltage
  return { spacing: 6, vconcat: [voltage, currentPanel(trace, trace.current, withTime)] }
}

function voltagePanel(trace: VoltageTrace, withTime: boolean): object {
  const roles = ['voltage', 'threshold', 'spike']
  const color = {
    field: 'role',
    type: 'nominal',
    scale: { domain: roles, range: [colours.membrane, colours.threshold, colours.spike] },
    legend: { title: null, orient: 'top' },
  }
  const x = timeAxis(trace, withTime)
  const y = { field: 'value', type: 'quantitative', title: 'V (mV)', axis: { tickCount: 4 }, scale: { zero: false } }
  return {
    title: { text: trace.title, fontSize: 11, fontWeight: 'normal', offset: 4 },
    width: 600,
    height: 100,
    layer: [
      {
        data: { values: Array.from(trace.times, (time, i) => ({ role: 'voltage', time, value: trace.voltage[i]! })) },
        mark: { type: 'line', strokeWidth: 1.5 },
        encoding: { x, y, color },
      },
      {
        data: { values: [{ role: 'threshold', value: trace.threshold }] },
        mark: { type: 'rule', strokeWidth: 1.5, strokeDash: [6, 4] },
        encoding: { y, color },
      },
      {
        data: { values: Array.from(trace.spikes, (time) => ({ role: 'spike', time, value: trace.threshold })) },
        mark: { type: 'point', filled: true, size: 50, opacity: 1, stroke: '#ffffff', strokeWidth: 1 },
        encoding: { x, y, color },
      },
    ],
  }
}

function currentPanel(trace: VoltageTrace, current: Samples, withTime: boolean): object {
  return {
    width: 600,
    height: 45,
    data: { values: Array.from(trace.times, (time, i) => ({ time, value: current[i]! })) },
    mark: { type: 'line', strokeWidth: 1, color: colours.input, interpolate: 'step-after' },
    encoding: {
      x: timeAxis(trace, withTime),
      y: { field: 'value', type: 'quantitative', title: 'I (pA)', axis: { tickCount: 3 }, scale: { zero: false } },
    },
  }
}

function timeAxis({ times }: VoltageTrace, withTime: boolean): object {
  return {
    field: 'time',
    type: 'quantitative',
    title: withTime ? 'time (ms)' : null,
    axis: { labels: withTime },
    scale: { domain: [times[0]!, lastOf(times)], nice: false, zero: false },
  }
}

function lastOf(times: Samples): number {
  return times[times.length - 1]!
}
