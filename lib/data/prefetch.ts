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

export interface PrefetchOptions<Item> {
  /** Items that wait at most. Default 1. */
  readonly depth?: number
  /** Frees an item that nobody takes any more. */
  readonly discard?: (item: Item) => void
}

type Pull<Item> = { readonly item: Item } | { readonly error: unknown } | 'end'

/** `prepare` makes an item of what the source gives, ahead of its time as well. */
export function prefetch<Given, Item>(
  source: Iterable<Given> | AsyncIterable<Given>,
  prepare: (given: Given) => Item,
  options: PrefetchOptions<Item> = {},
): AsyncGenerator<Item, void, undefined> {
  const { depth = 1, discard = () => {} } = options
  requireInteger('depth', depth, 1)
  return generate(source, prepare, depth, discard)
}

async function* generate<Given, Item>(
  source: Iterable<Given> | AsyncIterable<Given>,
  prepare: (given: Given) => Item,
  depth: number,
  discard: (item: Item) => void,
): AsyncGenerator<Item, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const waiting: Promise<Pull<Item>>[] = []
  let last: Promise<unknown> = Promise.resolve()
  let ended = false // the source is done or has failed: never touch it again
  let stopped = false // the consumer has left

  const next = async (): Promise<IteratorResult<Given, unknown>> => {
    try {
      const result = await iterator.next()
      if (result.done) ended = true
      return result
    } catch (error) {
      ended = true
      throw error
    }
  }
  // Never rejects: a failure waits in the queue as a value until the consumer comes to it.
  const pull = async (before: Promise<unknown>, turn?: Promise<void>): Promise<Pull<Item>> => {
    await before
    await turn
    if (ended || stopped) return 'end'
    try {
      const result = await next()
      return result.done ? 'end' : { item: prepare(result.value) }
    } catch (error) {
      return { error }
    }
  }
  const schedule = (turn?: Promise<void>): void => {
    const pulled = pull(last, turn)
    last = pulled
    waiting.push(pulled)
  }

  try {
    schedule()
    while (true) {
      const taken = await waiting.shift()!
      if (taken === 'end') return
      if ('error' in taken) throw taken.error
      while (waiting.length < depth) schedule(nextTurn())
      yield taken.item
    }
  } finally {
    stopped = true
    await last
    for (const pulled of await Promise.all(waiting)) {
      if (pulled !== 'end' && 'item' in pulled) discard(pulled.item)
    }
    if (!ended) await iterator.return?.()
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
