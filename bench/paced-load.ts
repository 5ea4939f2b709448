/**
 * Requests that come when they come, whether or not those before were answered: unlike clients that wait for each answer,
 * they queue when the server is slow.
 */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pace {
  /** Requests a second. */
  readonly rate: number
  readonly seconds: number
  /** Independent of each other (Poisson arrivals, the default), or all the same time apart. */
  readonly arrivals?: 'random' | 'even' | undefined
  /** Ends it before. */
  readonly signal?: AbortSignal
}

/** Calls `send` for each request, and settles when all of them have. */
export async function paced(
  { rate, seconds, arrivals = 'random', signal }: Pace,
  send: (index: number) => Promise<void>,
): Promise<number> {
  const under = new Set<Promise<void>>()
  const started = performance.now()
  const end = started + 1000 * seconds
  let due = started
  let sent = 0
  while (due < end && signal?.aborted !== true) {
    const wait = due - performance.now()
    if (wait > 0) await sleep(wait)
    const request = send(sent++).finally(() => under.delete(request))
    under.add(request)
    // Times between independent arrivals are exponentially distributed.
    due += (1000 / rate) * (arrivals === 'even' ? 1 : -Math.log(1 - Math.random()))
  }
  await Promise.all(under)
  return sent
}
