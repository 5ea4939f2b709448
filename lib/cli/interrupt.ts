/** Ctrl-C once stops the run with a checkpoint, twice quits at once. */

/**
 * npm passes Ctrl-C on to a program that has got it from the terminal already: two signals at nearly the same time are
 * one press of the key.
 */
const ONE_PRESS_MS = 400

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
}

/**
 * Listens for SIGINT until disposed of.
 *
 * @param told called at the first one
 * @param leave called at the second, just before the process ends; it must not wait for anything
 */
export function interruptible(told: () => void, leave: () => void): Interrupt {
  const controller = new AbortController()
  let first: number | undefined
  const listener = (): void => {
    const now = performance.now()
    if (first === undefined) {
      first = now
      controller.abort()
      told()
    } else if (now - first > ONE_PRESS_MS) {
      leave()
      // As the signal itself would have done: nothing of the step under way is waited for.
      process.removeListener('SIGINT', listener)
      process.kill(process.pid, 'SIGINT')
    }
  }
  process.on('SIGINT', listener)
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => void process.removeListener('SIGINT', listener),
  }
}
