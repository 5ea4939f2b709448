/** Repetitions that go round all peers in turns, so that what disturbs the machine disturbs them alike. */
import { median } from '../machine.js'

export interface Sample {
  /** Seconds of one run. */
  readonly wall: number
  /** Processor seconds of one run, of all threads. */
  readonly processor: number
}

export interface Timing extends Sample {
  readonly repetitions: number
  /** The shortest run: other work on the machine only adds time. */
  readonly fastest: number
}

export interface Contestant {
  readonly id: string
  /** The mean of so many runs in a row. */
  readonly run: (times: number) => Promise<Sample>
  /** Is told what ended its repetitions, if something did. */
  readonly failed: (error: unknown) => void
}

export interface Effort {
  readonly repetitions: number
  /** Seconds a contestant may take, its first run apart; it gets one repetition at least. */
  readonly budget: number
}

/** Runs shorter than this are repeated until they take as long: a clock reads too coarsely, and processor times more so. */
const SHORTEST = 0.02
const MOST_TIMES = 200

/** Medians by id. The first run of each warms up, unless it alone takes more than the budget: then it is counted. */
export async function interleaved(
  contestants: readonly Contestant[],
  { repetitions, budget }: Effort,
): Promise<Map<string, Timing>> {
  interface State {
    readonly contestant: Contestant
    readonly times: number
    readonly samples: Sample[]
    spent: number
  }
  const states: State[] = []
  for (const contestant of contestants) {
    const first = await attempt(contestant, 1)
    if (first === undefined) continue
    const times = Math.min(MOST_TIMES, Math.max(1, Math.ceil(SHORTEST / first.wall)))
    const counted = first.wall > budget
    states.push({ contestant, times, samples: counted ? [first] : [], spent: counted ? budget : 0 })
  }
  for (let round = 0; round < repetitions; round++) {
    // Another begins each time.
    const order = states.map((_, k) => states[(k + round) % states.length]!)
    for (const state of order) {
      if (state.spent >= budget && state.samples.length > 0) continue
      const sample = await attempt(state.contestant, state.times)
      if (sample === undefined) state.spent = Number.POSITIVE_INFINITY
      else {
        state.samples.push(sample)
        state.spent += sample.wall * state.times
      }
    }
  }
  return new Map(
    states
      .filter(({ samples, spent }) => samples.length > 0 && Number.isFinite(spent))
      .map(({ contestant, samples }) => [contestant.id, timingOf(samples)]),
  )
}

async function attempt(contestant: Contestant, times: number): Promise<Sample | undefined> {
  try {
    return await contestant.run(times)
  } catch (error) {
    contestant.failed(error)
    return undefined
  }
}

export function timingOf(samples: readonly Sample[]): Timing {
  return {
    wall: median(samples.map(({ wall }) => wall)),
    processor: median(samples.map(({ processor }) => processor)),
    repetitions: samples.length,
    fastest: Math.min(...samples.map(({ wall }) => wall)),
  }
}
