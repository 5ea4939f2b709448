/**
 * Scopes free tensors at once: everything made inside is freed when the scope ends, except what it returns.
 * Tensors outside every scope live until `dispose` or until the garbage collector finds them.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Releasable {
  dispose(): void
}

class Scope {
  readonly #owned = new Set<Releasable>()
  readonly #parent: Scope | undefined
  #open = true

  constructor(parent: Scope | undefined) {
    this.#parent = parent
  }

  /** A scope that has ended hands late arrivals to the one around it. */
  add(resource: Releasable): void {
    if (this.#open) this.#owned.add(resource)
    else this.#parent?.add(resource)
  }

  forget(resource: Releasable): void {
    this.#owned.delete(resource)
    this.#parent?.forget(resource)
  }

  close(result: unknown): void {
    this.#open = false
    this.#hand(result, new Set())
    for (const resource of this.#owned) resource.dispose()
    this.#owned.clear()
  }

  /** Moves every resource found in `result` to the scope around this one. */
  #hand(result: unknown, seen: Set<object>): void {
    if (typeof result !== 'object' || result === null || seen.has(result)) return
    seen.add(result)
    if (this.#owned.delete(result as Releasable)) this.#parent?.add(result as Releasable)
    else if (Array.isArray(result) || result instanceof Map || result instanceof Set)
      for (const item of result) this.#hand(item, seen)
    else if (isPlain(result)) for (const item of Object.values(result)) this.#hand(item, seen)
  }
}

// The scope travels along `await`, so that scopes of concurrent tasks never mix.
const current = new AsyncLocalStorage<Scope>()

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Gives a new resource to the innermost scope. */
export function track(resource: Releasable): void {
  current.getStore()?.add(resource)
}

/**
 * Runs `body` and frees every tensor made in it, except those it returns (alone, or in arrays, maps, sets and plain objects):
 * they go to the scope around this one. With an asynchronous `body` the scope ends when its promise settles.
 *
 *     const loss = scope(() => mean(square(sub(predict(x), y))))
 */
export function scope<T>(body: () => T): T {
  const inner = new Scope(current.getStore())
  let result: T
  try {
    result = current.run(inner, body)
  } catch (error) {
    inner.close(undefined)
    throw error
  }
  if (!isPromise(result)) {
    inner.close(result)
    return result
  }
  return result.then(
    (value) => {
      inner.close(value)
      return value
    },
    (error: unknown) => {
      inner.close(undefined)
      throw error
    },
  ) as T
}

/** Lets go of a resource that was freed, so that a long scope does not hold on to it. */
export function untrack(resource: Releasable): void {
  current.getStore()?.forget(resource)
}

/** Takes `resource` out of every scope it is in: it lives until `dispose` or garbage collection. */
export function keep<T extends Releasable>(resource: T): T {
  current.getStore()?.forget(resource)
  return resource
}
