/** Requests for the demo network: test images, each as the bodies that servers take. */
import { datasets } from '../lib/data/index.js'

export interface Digits {
  /** 784 bytes each. */
  readonly images: readonly Buffer[]
  /** JSON of the Open Inference Protocol. */
  readonly protocol: readonly Buffer[]
  /** JSON of bench/peers/serve_fastapi.py. */
  readonly plain: readonly Buffer[]
}

export async function digits(count: number): Promise<Digits> {
  const { test } = await datasets.mnist()
  const images = Array.from({ length: count }, (_, index) => Buffer.from(test.sample(index).input as Uint8Array))
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  return {
    images,
    protocol: images.map((image) =>
      json({ inputs: [{ name: 'input', datatype: 'UINT8', shape: [1, 1, 28, 28], data: [...image] }] }),
    ),
    plain: images.map((image) => json({ data: [...image] })),
  }
}

/** What says that a body is the bytes of the one input. */
export const rawHeaders = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' }
export const jsonHeaders = { 'content-type': 'application/json' }
