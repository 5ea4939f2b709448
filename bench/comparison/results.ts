/** What a run of the benchmark found: the JSON in bench/results. */
import type { Group } from './cases.js'
import type { Figure } from './figure.js'
import type { Line } from './line-fit.js'
import type { Timing } from './timing.js'

export interface Row {
  readonly peer: string
  readonly title: string
  /** Why there is no timing: not installed, no such case, wrong values, it ended. */
  readonly absent?: string
  readonly timing?: Timing
  /** How its values compare with the reference's. */
  readonly agreement?: string
  /** Bytes resident at most in a first run, beyond those before. */
  readonly memory?: number
  readonly compileSeconds?: number
  readonly figures?: Readonly<Record<string, number>>
}

export interface CaseResult {
  readonly id: string
  readonly group: Group
  readonly title: string
  readonly threads: number
  /** Of the first input. */
  readonly elements: number
  readonly rows: readonly Row[]
}

export interface ScalingPoint {
  readonly value: number
  readonly elements: number
  readonly wall: number
  readonly memory?: number
}

export interface Scaling {
  readonly axis: string
  readonly peer: string
  readonly title: string
  readonly points: readonly ScalingPoint[]
  /** Seconds for one more of the axis; none for threads. */
  readonly time?: Line
  /** Bytes for one more. */
  readonly memory?: Line
}

export interface About {
  readonly date: string
  readonly command: string
  readonly machine: string
  readonly software: string
  readonly settings: string
}

export interface Results {
  readonly about: About
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly cases: readonly CaseResult[]
  readonly scaling: readonly Scaling[]
  /** What bench/event.ts printed, or why there is nothing. */
  readonly event: unknown
  readonly figures: readonly Figure[]
}

export function rowOf(result: CaseResult | undefined, peer: string): Row | undefined {
  return result?.rows.find((row) => row.peer === peer)
}
