/** Inputs drawn from a seed and written once, so that every peer reads the same values. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Case, Draw } from './cases.js'
import type { ArrayFile } from './peer-process.js'

/** Uniform in [0, 1), from 32 bits (xorshift32: Marsaglia, "Xorshift RNGs", 2003). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}

export function drawn(length: number, draw: Draw, seed: number): Float32Array {
  const next = uniform(seed)
  const values = new Float32Array(length)
  if (draw.kind === 'spikes') for (let i = 0; i < length; i++) values[i] = next() < draw.rate ? 1 : 0
  else for (let i = 0; i < length; i++) values[i] = draw.low + (draw.high - draw.low) * next()
  return values
}

export function writeArray(
  folder: string,
  name: string,
  values: Float32Array | Uint8Array,
  shape: readonly number[],
): ArrayFile {
  const file = join(folder, `${name}.bin`)
  writeFileSync(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return { file, dtype: values instanceof Float32Array ? 'float32' : 'uint8', shape }
}

/** The inputs of a case, each from a seed of its own name. */
export function writeInputs(folder: string, { inputs }: Case): Record<string, ArrayFile> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, draw }]) => {
      const length = shape.reduce((product, size) => product * size, 1)
      const seed = createHash('sha256').update(name).digest().readUInt32LE()
      return [name, writeArray(folder, `input-${name}`, drawn(length, draw, seed), shape)]
    }),
  )
}
