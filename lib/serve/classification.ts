/** The classification extension, as Triton has it: the k largest values of each row, "value:index" or "value:index:label". */
import { ServeError } from './errors.js'
import type { TensorValue } from './service.js'

export interface Classes {
  /** `[B, k]` */
  readonly shape: readonly number[]
  /** Row-major; the largest value first, of equal ones the smaller index. */
  readonly texts: readonly string[]
}

/**
 * @param output `[B, K]`
 * @param count k; all K where larger
 * @throws ServeError `ERR_SERVE_OUTPUT` (400) for an output of another rank
 */
export function classify(name: string, output: TensorValue, count: number, labels?: readonly string[]): Classes {
  const [batch, classes] = output.shape
  if (batch === undefined || classes === undefined || output.shape.length !== 2) {
    throw new ServeError(
      `output "${name}" is [${output.shape.join(', ')}]: classification needs one of [batch, classes]`,
      'ERR_SERVE_OUTPUT',
      { output: name },
    )
  }
  const best = Math.min(count, classes)
  const named = labels?.length === classes ? labels : undefined
  const fractional = output.data instanceof Float32Array || output.data instanceof Float64Array
  const texts: string[] = []
  for (let row = 0; row < batch; row++) {
    const values = output.data.subarray(row * classes, (row + 1) * classes)
    for (const index of largest(values, best)) {
      const value = values[index]!
      const text = fractional ? decimals(value as number) : String(value)
      texts.push(named === undefined ? `${text}:${index}` : `${text}:${index}:${named[index]}`)
    }
  }
  return { shape: [batch, best], texts }
}

/** As C's printf prints with %f. */
function decimals(value: number): string {
  return Number.isFinite(value) && Math.abs(value) < 1e21 ? value.toFixed(6) : String(value)
}

function largest(values: ArrayLike<number | bigint>, count: number): readonly number[] {
  const places = Array.from({ length: values.length }, (_, index) => index)
  // Not a number is smaller than any.
  const order = (index: number): number | bigint => {
    const value = values[index]!
    return typeof value === 'number' && Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value
  }
  places.sort((a, b) => {
    const [x, y] = [order(a), order(b)]
    return x === y ? a - b : x > y ? -1 : 1
  })
  return places.slice(0, count)
}
