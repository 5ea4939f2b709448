/** Two receivers on the same slots: how many dB one needs beyond the other, and how sure that is. */
import { wholeNumber } from '../study/quantity.js'
import type { Channel } from './channel.js'
import type { ResourceGrid } from './grid.js'
import { type LinkPoint, type MeasureOptions, measureLink } from './link.js'
import type { Receiver } from './receivers.js'
import { type RatePoint, type SnrAt, snrAt, snrLoss } from './snr-at.js'

/** Error rates to compare at. */
export interface ComparedLevel {
  readonly measure: 'ber' | 'bler'
  readonly level: number
}

export interface CompareOptions extends Pick<MeasureOptions, 'batch' | 'code' | 'signal'> {
  /** Es/N0 of the points, dB: from where the level is not reached to where it is. */
  readonly snr: readonly number[]
  readonly levels: readonly ComparedLevel[]
  /** At each point. Default 1000. */
  readonly slots?: number
  /** Parts of the slots, each with a seed of its own, that the standard error comes from. Default 5. */
  readonly parts?: number
  /** Of the first part; the next ones count up. Default 0. */
  readonly seed?: number
}

/** What both need for an error rate. */
export interface LevelComparison extends ComparedLevel {
  readonly reference: SnrAt
  readonly other: SnrAt
  /** dB that the other needs beyond the reference; undefined where the points don't tell. */
  readonly loss?: number
  /** Standard error of the loss, by leaving out one part of the slots after the other (jackknife). */
  readonly error?: number
}

export interface ReceiverComparison {
  readonly slots: number
  readonly points: readonly { readonly snr: number; readonly reference: Rates; readonly other: Rates }[]
  readonly levels: readonly LevelComparison[]
}

export interface Rates {
  readonly ber: number
  readonly bler: number
}

/**
 * Measures both receivers on the same slots and reads off the SNR that each needs. Equal slots take away most of the chance: a loss of
 * hundredths of a dB can be told from none.
 *
 * @throws ArgumentError, AbortedError as {@link measureLink} and {@link snrAt} do
 */
export async function compareReceivers(
  grid: ResourceGrid,
  channel: Channel,
  [reference, other]: readonly [reference: Receiver, other: Receiver],
  options: CompareOptions,
): Promise<ReceiverComparison> {
  const owner = 'compareReceivers'
  const parts = wholeNumber(owner, 'parts', options.parts ?? 5, { min: 2, max: 1000 })
  const asked = wholeNumber(owner, 'slots', options.slots ?? 1000, { min: parts })
  const seed = wholeNumber(owner, 'seed', options.seed ?? 0, { min: 0 })
  const mostSlots = Math.ceil(asked / parts)
  const { snr, levels, batch, code, signal } = options
  for (const { level } of levels) snrAt([{ snr: 0, value: 1 }], level) // refuses what is no level before anything is simulated
  const measured: (readonly LinkPoint[])[] = []
  for (let part = 0; part < parts; part++) {
    const points: LinkPoint[] = []
    const settings = {
      snr,
      mostSlots,
      blockErrors: Number.MAX_SAFE_INTEGER,
      seed: seed + part,
      ...(batch === undefined ? {} : { batch }),
      ...(code === undefined ? {} : { code }),
      ...(signal === undefined ? {} : { signal }),
    }
    for await (const point of measureLink(grid, channel, [reference, other], settings)) points.push(point)
    measured.push(points)
  }
  const curve = (chosen: typeof measured, receiver: 0 | 1, measure: 'ber' | 'bler'): readonly RatePoint[] =>
    snr.map((at, i) => {
      const values = chosen.map((points) => points[i]!.receivers[receiver]![measure].value)
      return { snr: at, value: values.reduce((sum, value) => sum + value, 0) / values.length }
    })
  const needed = (chosen: typeof measured, { measure, level }: ComparedLevel) => {
    const [first, second] = ([0, 1] as const).map((receiver) => snrAt(curve(chosen, receiver, measure), level))
    return { reference: first!, other: second!, loss: snrLoss(first!, second!) }
  }
  const rates = (i: number, receiver: 0 | 1): Rates => ({
    ber: curve(measured, receiver, 'ber')[i]!.value,
    bler: curve(measured, receiver, 'bler')[i]!.value,
  })
  return {
    slots: parts * mostSlots,
    points: snr.map((at, i) => ({ snr: at, reference: rates(i, 0), other: rates(i, 1) })),
    levels: levels.map((level) => {
      const { loss, ...both } = needed(measured, level)
      const without = measured.map(
        (_, left) =>
          needed(
            measured.filter((__, i) => i !== left),
            level,
          ).loss,
      )
      const error = jackknife(without)
      return {
        ...level,
        ...both,
        ...(loss === undefined ? {} : { loss }),
        ...(error === undefined ? {} : { error }),
      }
    }),
  }
}

/** Standard error from the values that each leave out one of n parts: sqrt((n − 1)/n Σ (v − mean)²). */
function jackknife(values: readonly (number | undefined)[]): number | undefined {
  const n = values.length
  const known = values.filter((value) => value !== undefined)
  if (known.length < n) return undefined
  const mean = known.reduce((sum, value) => sum + value, 0) / n
  return Math.sqrt(((n - 1) / n) * known.reduce((sum, value) => sum + (value - mean) ** 2, 0))
}
