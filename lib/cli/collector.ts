import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 collect garbage as a service wants it. A collection of the old generation marks with four threads for some 30 ms;
 * on two processors every request of that time is late.
 */
export function collectForService(): void {
  // Two thirds of the old generation may be new before it is collected. V8's own limit would be 8 MB more than survived,
  // which a busy service reaches every few seconds.
  setFlagsFromString('--heap-growing-percent=200')
  // A burst of requests is alive all at once, from which V8 would infer that such objects live long.
  setFlagsFromString('--no-allocation-site-pretenuring')
  // One marks while others answer.
  setFlagsFromString('--concurrent-marking-max-worker-num=1')
}
