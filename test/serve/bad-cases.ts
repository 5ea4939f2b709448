/** What the cases of requests that are not valid are made of. */

/** What is sent where; JSON unless it is text or bytes. */
export interface Sent {
  readonly url?: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  readonly payload?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Case = readonly [name: string, sent: Sent, status: number]

/** What the server under test takes. */
export const BODY_BYTES = 64 * 1024
export const input = { name: 'input', shape: [1, 2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] }
export const infer = '/v2/models/sums/infer'
export const octets = (length: number | string) => ({
  'inference-header-content-length': String(length),
  'content-type': 'application/octet-stream',
})

/** Numbers between 0 and 1 that are the same in every run (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
