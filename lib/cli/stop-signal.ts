/** SIGTERM and SIGINT as a promise; a second one ends the process as if nobody had listened. */

/** npm hands on a signal that the program has got already: two at nearly the same time are one. */
const ONE_SIGNAL_MS = 400

export interface StopSignal extends Disposable {
  readonly given: boolean
  /** Settles at the first signal. */
  readonly asked: Promise<void>
}

/** Listens until disposed of. @param told called at the first signal */
export function stopSignal(told: () => void): StopSignal {
  const signals = ['SIGTERM', 'SIGINT'] as const
  const end = (): void => {
    for (const signal of signals) process.removeListener(signal, listener)
  }
  let first: number | undefined
  let settle: () => void
  const asked = new Promise<void>((resolve) => {
    settle = resolve
  })
  const listener = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (first === undefined) {
      first = now
      told()
      settle()
    } else if (now - first > ONE_SIGNAL_MS) {
      end()
      process.kill(process.pid, signal)
    }
  }
  for (const signal of signals) process.on(signal, listener)
  return {
    get given() {
      return first !== undefined
    },
    asked,
    [Symbol.dispose]: end,
  }
}
