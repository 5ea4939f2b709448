/**
 * Pulls the next items while the consumer works on the one it has.
 *
 * At most `depth` items wait, and at most one `next()` of the source is under way. The first item is pulled at once.
 * Later ones are pulled in a turn of their own of the event loop: a synchronous source (gathering a batch) then runs
 * after the consumer has handed its work to the executor thread, and not before it.
 *
 * A failure of the source is thrown where its item would have come. When the consumer stops early, the pull under way
 * is awaited, what waits is given to `discard`, and the source is closed.
 *
 * @throws ArgumentError `ERR_RANGE` when `depth` is not a whole number of at least 1
 */
import { requireInteger } from './dataset.js'

export interface PrefetchOptions<T> {
  /** Items that wait at most. Default 1. */
  readonly depth?: number
  /** Frees an item that nobody takes any more. */
  readonly discard?: (item: T) => void
}

type Pull<T> = { readonly result: IteratorResult<T, unknown> } | { readonly error: unknown }

export function prefetch<T>(
  source: Iterable<T> | AsyncIterable<T>,
  options: PrefetchOptions<T> = {},
): AsyncGenerator<T, void, undefined> {
  const { depth = 1, discard = () => {} } = options
  requireInteger('depth', depth, 1)
  return generate(source, depth, discard)
}

async function* generate<T>(
  source: Iterable<T> | AsyncIterable<T>,
  depth: number,
  discard: (item: T) => void,
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const waiting: Promise<Pull<T>>[] = []
  let last: Promise<unknown> = Promise.resolve()
  let ended = false // the source is done or has failed: never touch it again
  let stopped = false // the consumer has left

  // Never rejects: a failure waits in the queue as a value until the consumer comes to it.
  const pull = async (before: Promise<unknown>): Promise<Pull<T>> => {
    await before
    if (ended || stopped) return { result: { done: true, value: undefined } }
    try {
      const result = await iterator.next()
      if (result.done) ended = true
      return { result }
    } catch (error) {
      ended = true
      return { error }
    }
  }
  const schedule = (before: Promise<unknown>): void => {
    const next = pull(before)
    last = next
    waiting.push(next)
  }

  try {
    schedule(last)
    while (true) {
      const taken = await waiting.shift()!
      if ('error' in taken) throw taken.error
      if (taken.result.done) return
      while (waiting.length < depth) schedule(Promise.all([last, nextTurn()]))
      yield taken.result.value
    }
  } finally {
    stopped = true
    await last
    for (const pulled of await Promise.all(waiting)) {
      if ('result' in pulled && !pulled.result.done) discard(pulled.result.value)
    }
    if (!ended) await iterator.return?.()
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
