import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 collect garbage as a service wants it: seldom. A collection of the old generation marks with four threads for
 * some 30 ms; on two processors every request of that time is late.
 */
export function collectForService(): void {
  // The old generation may double before it is collected, 20 MB more with the demo network. V8's own limit was 8 MB, which
  // a busy service reaches every few seconds.
  setFlagsFromString('--heap-growing-percent=100')
}
