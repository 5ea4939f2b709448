import { describe, type OptionReader } from './options.js'

/** Name of a surrogate gradient. */
export type SurrogateKind = 'triangular' | 'sigmoid' | 'atan' | 'fastSigmoid' | 'boxcar'

/**
 * What stands in for the derivative of the spike, `g(x)` at `x = U − θ`. A name takes the default parameter.
 *
 *     triangular   max(0, 1 − |x|/a) / a        width a      1
 *     sigmoid      k s(kx) (1 − s(kx))          slope k      4
 *     atan         (a/2) / (1 + (π a x / 2)²)   alpha a      2
 *     fastSigmoid  1 / (1 + k|x|)²              slope k      25
 *     boxcar       1/(2w) where |x| < w         halfWidth w  0.5
 */
export type Surrogate =
  | SurrogateKind
  | { readonly kind: 'triangular'; readonly width?: number }
  | { readonly kind: 'sigmoid'; readonly slope?: number }
  | { readonly kind: 'atan'; readonly alpha?: number }
  | { readonly kind: 'fastSigmoid'; readonly slope?: number }
  | { readonly kind: 'boxcar'; readonly halfWidth?: number }

interface ParameterOfKind {
  readonly name: string
  readonly value: number
}

const PARAMETERS: Readonly<Record<SurrogateKind, ParameterOfKind>> = {
  triangular: { name: 'width', value: 1 },
  sigmoid: { name: 'slope', value: 4 },
  atan: { name: 'alpha', value: 2 },
  fastSigmoid: { name: 'slope', value: 25 },
  boxcar: { name: 'halfWidth', value: 0.5 },
}

export const SURROGATE_KINDS = Object.keys(PARAMETERS) as readonly SurrogateKind[]

/** A surrogate as layers store it. */
export interface SurrogateSetting {
  readonly surrogate: SurrogateKind
  readonly surrogateParameter: number
}

/** Reads `surrogate` (a name, or an object with its own parameter) and the flat `surrogateParameter` of stored specs. */
export function readSurrogate(read: OptionReader): SurrogateSetting {
  const given = read.raw('surrogate') ?? 'triangular'
  const flat = read.has('surrogateParameter')
    ? read.number('surrogateParameter', { above: 0, max: 1e6 })
    : void read.raw('surrogateParameter')

  const kind = SURROGATE_KINDS.find((name) => name === (typeof given === 'object' ? Reflect.get(given, 'kind') : given))
  if (kind === undefined) {
    const got = describe(typeof given === 'object' ? Reflect.get(given, 'kind') : given)
    return read.fail(`needs surrogate to be one of ${SURROGATE_KINDS.join(', ')}, got ${got}`, 'ERR_RANGE')
  }
  const { name, value } = PARAMETERS[kind]
  if (typeof given === 'string') return { surrogate: kind, surrogateParameter: flat ?? value }

  for (const key of Object.keys(given)) {
    if (key !== 'kind' && key !== name)
      read.fail(`has the surrogate ${kind}, which takes ${name}, not ${key}`, 'ERR_UNKNOWN')
  }
  const parameter: unknown = Reflect.get(given, name) ?? flat ?? value
  if (typeof parameter !== 'number' || !(parameter > 0 && parameter <= 1e6)) {
    return read.fail(
      `needs the ${name} of its surrogate to be a number above 0, got ${describe(parameter)}`,
      'ERR_RANGE',
    )
  }
  return { surrogate: kind, surrogateParameter: parameter }
}
