/** Switching the recording of operations off and on. */
import { ArgumentError } from '../errors.js'
import { native } from '../runtime/addon.js'

/**
 * Runs `body` without recording operations: its results have no graph and take no memory for one.
 *
 * `body` is synchronous, since the switch belongs to the thread and everything that ran during an `await` would feel
 * it. Inside an asynchronous function, wrap the synchronous stretches; `opAsync` keeps the mode it was called in.
 *
 * @throws ArgumentError when `body` returns a promise
 */
export function noGrad<T>(body: () => T): T {
  return withGrad(false, body, 'noGrad')
}

/** Runs `body` with recording on, inside a {@link noGrad}. */
export function enableGrad<T>(body: () => T): T {
  return withGrad(true, body, 'enableGrad')
}

/** Whether operations are recorded now. */
export function gradEnabled(): boolean {
  return native().gradEnabled()
}

function withGrad<T>(enabled: boolean, body: () => T, name: string): T {
  const addon = native()
  const before = addon.gradEnabled()
  addon.setGradEnabled(enabled)
  let result: T
  try {
    result = body()
  } finally {
    addon.setGradEnabled(before)
  }
  if (result instanceof Promise) {
    result.catch(() => {}) // its failure gives way to this one
    throw new ArgumentError(`${name} wants a synchronous function: wrap each stretch between two awaits instead`)
  }
  return result
}
