/** The figures to reach, as ratios within one run; those whose case or peer was not measured are left out. */
import type { Figure, Goal } from './figure.js'
import { type CaseResult, rowOf } from './results.js'

/** Reads measured values: undefined as soon as one is missing. */
class Reader {
  readonly #cases: readonly CaseResult[]

  constructor(cases: readonly CaseResult[]) {
    this.#cases = cases
  }

  wall(id: string, peer: string): number | undefined {
    return rowOf(this.#case(id), peer)?.timing?.wall
  }

  /** How many times longer the first takes. */
  ratio(id: string, slower: string, faster: string): number | undefined {
    const [a, b] = [this.wall(id, slower), this.wall(id, faster)]
    return a === undefined || b === undefined ? undefined : a / b
  }

  /** Peak memory over the input's. */
  memory(id: string, peer: string): number | undefined {
    const result = this.#case(id)
    const memory = rowOf(result, peer)?.memory
    return result === undefined || memory === undefined ? undefined : memory / (4 * result.elements)
  }

  figure(id: string, peer: string, name: string): number | undefined {
    return rowOf(this.#case(id), peer)?.figures?.[name]
  }

  #case(id: string): CaseResult | undefined {
    return this.#cases.find((one) => one.id === id)
  }
}

const LIF = {
  '500x16x256': 'LIF [500, 16, 256], 8 MiB',
  '500x16x1024': 'LIF [500, 16, 1024], 31 MiB',
  '100x16x4096': 'LIF [100, 16, 4096], 25 MiB',
  '8x8x32x32x32': 'LIF conv [8, 8, 32, 32, 32], 8 MiB',
} as const
type LifId = keyof typeof LIF

const [SMALL, LARGE, WIDE, CONV] = Object.keys(LIF) as [LifId, LifId, LifId, LifId]

/** A row of bench/event.ts: seconds of one product of `[rows, width]` spikes with `[width, width]` weights. */
export interface EventRow {
  readonly width: number
  readonly rows: number
  /** Share of spikes. */
  readonly activity: number
  readonly event: number
  readonly denseFloat32: number
  readonly denseBfloat16: number
}

/** The products that bench/event.ts measured; none where it did not run. */
export function eventRows(event: unknown): readonly EventRow[] {
  if (typeof event !== 'object' || event === null || !('linear' in event) || !Array.isArray(event.linear)) return []
  return event.linear as readonly EventRow[]
}

const EVENT_GOALS: Readonly<Record<string, number>> = { '1 0.05': 20, '1 0.1': 12, '16 0.05': 5, '16 0.1': 2.5 }

/** Event-driven against dense float32, and dense bfloat16 beside it, so that nobody is fooled. */
export function eventFigures(event: unknown): Figure[] {
  return eventRows(event).flatMap(({ width, rows, activity, event, denseFloat32, denseBfloat16 }): Figure[] => {
    const title = `Linear ${width}, ${rows} ${rows === 1 ? 'row' : 'rows'}, ${100 * activity} % spikes`
    const atLeast = EVENT_GOALS[`${rows} ${activity}`]
    return [
      {
        what: `${title}: dense float32 over events`,
        value: denseFloat32 / event,
        unit: 'x',
        ...(atLeast !== undefined && { goal: { atLeast } }),
      },
      { what: `${title}: dense bfloat16 over events`, value: denseBfloat16 / event, unit: 'x' },
    ]
  })
}

export function figuresOf(cases: readonly CaseResult[]): Figure[] {
  const read = new Reader(cases)
  const figures: Figure[] = []
  const add = (what: string, value: number | undefined, goal?: Goal, unit = 'x'): void => {
    if (value !== undefined) figures.push({ what, value, unit, ...(goal && { goal }) })
  }
  const against = (peer: string, title: string, goals: readonly (readonly [LifId, Goal | undefined])[]): void => {
    const ours = peer === 'snntorch' ? 'spikingrx-delayed' : 'spikingrx'
    for (const [id, goal] of goals)
      add(`${LIF[id]}: ${title} over spikingrx`, read.ratio(`lif-${id}`, peer, ours), goal)
  }
  const atLeast = (value: number): Goal => ({ atLeast: value })
  const atMost = (value: number): Goal => ({ atMost: value })

  add(
    `${LIF[LARGE]}: kernels alone over the copy bound`,
    read.ratio(`lif-${LARGE}`, 'spikingrx-operators', 'copy'),
    atMost(1.15),
  )
  for (const [id, most] of [
    [LARGE, 1.5],
    [WIDE, undefined],
    [SMALL, 2],
    [CONV, 2],
  ] as const)
    add(
      `${LIF[id]}: through the API over the copy bound`,
      read.ratio(`lif-${id}`, 'spikingrx', 'copy'),
      most === undefined ? undefined : atMost(most),
    )
  for (const [peer, title] of [
    ['spikingjelly', 'SpikingJelly 2.0 torch'],
    ['spikingjelly-0.0.0.0.14', 'SpikingJelly 0.0.0.0.14 torch'],
  ] as const)
    against(peer, title, [
      [SMALL, atLeast(80)],
      [LARGE, atLeast(80)],
      [WIDE, atLeast(80)],
      [CONV, atLeast(8)],
    ])
  against('snntorch', 'snnTorch with unbind', [
    [SMALL, atLeast(10)],
    [LARGE, atLeast(10)],
    [WIDE, atLeast(10)],
    [CONV, atLeast(10)],
  ])
  against('jax', 'JAX lax.scan', [
    [SMALL, atLeast(1.1)],
    [LARGE, atLeast(3)],
    [WIDE, atLeast(3)],
    [CONV, atLeast(1.7)],
  ])
  against('compiled', 'torch.compile in chunks', [
    [SMALL, atLeast(4)],
    [LARGE, atLeast(4)],
    [WIDE, atLeast(4)],
    [CONV, undefined],
  ])
  for (const id of [LARGE, WIDE] as const) {
    add(`${LIF[id]}: peak extra memory over the input`, read.memory(`lif-${id}`, 'spikingrx'), atMost(2.2))
    add(`${LIF[id]}: the same with saved membranes`, read.memory(`lif-${id}`, 'spikingrx-saved'), atMost(3.2))
  }

  add(
    'SEW block over its two convolutions alone',
    read.ratio('sew', 'spikingrx', 'spikingrx-convolutions'),
    atMost(1.2),
  )
  add('SEW block: SpikingJelly over spikingrx', read.ratio('sew', 'spikingjelly', 'spikingrx'), atLeast(1.5))
  add('SEW block: snnTorch over spikingrx', read.ratio('sew', 'snntorch', 'spikingrx-delayed'), atLeast(1.3))

  add('MNIST: SpikingJelly over spikingrx', read.ratio('mnist', 'spikingjelly', 'spikingrx'), atLeast(4))
  add(
    'MNIST: snnTorch, first layer hoisted, over spikingrx',
    read.ratio('mnist', 'snntorch', 'spikingrx-delayed'),
    atLeast(2),
  )
  for (const [peer, ours, title] of [
    ['spikingjelly', 'spikingrx', 'SpikingJelly'],
    ['snntorch', 'spikingrx-delayed', 'snnTorch'],
  ] as const) {
    const apart = (name: string): number | undefined => {
      const [a, b] = [read.figure('mnist', peer, name), read.figure('mnist', ours, name)]
      return a === undefined || b === undefined ? undefined : Math.abs(a - b)
    }
    const points = apart('accuracy')
    add(`MNIST: accuracy apart from ${title}`, points === undefined ? undefined : 100 * points, atMost(0.5), 'points')
    add(`MNIST: mean loss apart from ${title}`, apart('loss'), undefined, '')
  }

  for (const network of ['perceptron', 'digits'] as const)
    for (const batch of [1, 16] as const) {
      const id = `predict-${network}-${batch}`
      const goal = (value: number): Goal | undefined => (batch === 1 ? atLeast(value) : undefined)
      const title = `inference, ${network}, batch ${batch}`
      add(`${title}: dense over event-driven`, read.ratio(id, 'spikingrx-dense', 'spikingrx'), goal(3))
      add(`${title}: SpikingJelly over spikingrx`, read.ratio(id, 'spikingjelly', 'spikingrx'), goal(10))
    }
  return figures
}
