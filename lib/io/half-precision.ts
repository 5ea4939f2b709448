/** The two 16-bit floating-point types, as their bits, to and from 32 bits; rounding is to nearest, ties to even. */

const number = new Float32Array(1)
const bits = new Uint32Array(number.buffer)

/** bfloat16: the upper half of a float32. */
export function toBfloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    number[0] = value
    const all = bits[0]!
    if (Number.isNaN(value)) return (all >>> 16) | 0x40 // rounding could turn a NaN into an infinity
    return (all + 0x7fff + ((all >>> 16) & 1)) >>> 16
  })
}

export function fromBfloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    bits[0] = half << 16
    return number[0]!
  })
}

/** float16 (IEEE 754 binary16): 1 sign bit, 5 of exponent (bias 15), 10 of fraction. */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    number[0] = value
    const sign = (bits[0]! >>> 16) & 0x8000
    const magnitude = Math.abs(value)
    if (Number.isNaN(value)) return sign | 0x7e00
    if (magnitude >= 65520) return sign | 0x7c00 // rounds beyond the largest, 65504
    // Spacing of the numbers around this magnitude; 2^-24 among the subnormal ones, below 2^-14.
    const exponent = magnitude < 2 ** -14 ? -14 : ((bits[0]! >>> 23) & 0xff) - 127
    const fraction = roundToEven(magnitude / 2 ** (exponent - 10))
    // A fraction of 2048 carries into the exponent by itself; a subnormal number has none to add.
    return sign | (magnitude < 2 ** -14 ? fraction : ((exponent + 15) << 10) + fraction - 1024)
  })
}

export function fromFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >>> 10) & 0x1f
    const fraction = half & 0x3ff
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
  })
}

function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}
