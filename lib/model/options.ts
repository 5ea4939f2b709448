/** Codes an invalid option can have. */
export type OptionErrorCode = 'ERR_TYPE' | 'ERR_RANGE' | 'ERR_SHAPE' | 'ERR_UNKNOWN'

/** Makes the error to throw for an invalid option. */
export type OptionFailure = (message: string, code: OptionErrorCode, details: Record<string, unknown>) => Error

export interface NumberRange {
  readonly min?: number
  readonly max?: number
  /** Exclusive lower bound. */
  readonly above?: number
  /** Exclusive upper bound. */
  readonly below?: number
}

/** Reads named options one by one, checks type and range of each, and in `end` refuses the ones nobody asked for. */
export interface OptionReader {
  has(name: string): boolean
  raw(name: string): unknown
  number(name: string, range: NumberRange, otherwise?: number): number
  integer(name: string, range: NumberRange, otherwise?: number): number
  flag(name: string, otherwise: boolean): boolean
  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T
  /** Distinct names out of `choices`; `[]` by default. */
  subset<T extends string>(name: string, choices: readonly T[]): readonly T[]
  /** `[height, width]`; one number stands for both. */
  pair(name: string, range: NumberRange, otherwise: readonly [number, number]): readonly [number, number]
  numbers(name: string, range: NumberRange): readonly number[]
  fail(message: string, code: OptionErrorCode, details?: Record<string, unknown>): never
  end(): void
}

/**
 * Reader over options that come from a caller or, untrusted, from a file.
 *
 * @param owner what the options belong to, the first word of every message: `lif`, `adamW`
 */
export function optionReader(owner: string, values: unknown, failure: OptionFailure): OptionReader {
  const seen = new Set<string>(['kind'])

  const fail = (message: string, code: OptionErrorCode, details: Record<string, unknown> = {}): never => {
    throw failure(`${owner}${message.startsWith('(') ? '' : ' '}${message}`, code, details)
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    fail(`takes an object of options, got ${describe(values)}`, 'ERR_TYPE')
  }
  const options = values as Readonly<Record<string, unknown>>

  const has = (name: string): boolean => Object.hasOwn(options, name) && options[name] !== undefined
  const raw = (name: string): unknown => {
    seen.add(name)
    return has(name) ? options[name] : undefined
  }
  const checkNumber = (name: string, value: unknown, range: NumberRange, whole: boolean): number => {
    const want = `${whole ? 'a whole number' : 'a number'}${describeRange(range)}`
    if (typeof value !== 'number')
      return fail(`needs ${name} to be ${want}, got ${describe(value)}`, 'ERR_TYPE', { name })
    const fits =
      Number.isFinite(value) &&
      (!whole || Number.isSafeInteger(value)) &&
      value >= (range.min ?? Number.NEGATIVE_INFINITY) &&
      value <= (range.max ?? Number.POSITIVE_INFINITY) &&
      value > (range.above ?? Number.NEGATIVE_INFINITY) &&
      value < (range.below ?? Number.POSITIVE_INFINITY)
    if (!fits) fail(`needs ${name} to be ${want}, got ${value}`, 'ERR_RANGE', { name, value, ...range })
    return value
  }
  const readNumber = (name: string, range: NumberRange, otherwise: number | undefined, whole: boolean): number => {
    const value = raw(name)
    if (value === undefined && otherwise !== undefined) return otherwise
    return checkNumber(name, value, range, whole)
  }
  const checkChoice = <T extends string>(name: string, value: unknown, choices: readonly T[]): T => {
    const found = choices.find((choice) => choice === value)
    if (found !== undefined) return found
    const code = typeof value === 'string' ? 'ERR_RANGE' : 'ERR_TYPE'
    return fail(`needs ${name} to be one of ${choices.join(', ')}, got ${describe(value)}`, code, { name, choices })
  }

  return {
    has,
    raw,
    fail,
    number: (name, range, otherwise) => readNumber(name, range, otherwise, false),
    integer: (name, range, otherwise) => readNumber(name, range, otherwise, true),
    flag(name, otherwise) {
      const value = raw(name) ?? otherwise
      if (typeof value !== 'boolean')
        return fail(`needs ${name} to be true or false, got ${describe(value)}`, 'ERR_TYPE')
      return value
    },
    choice: (name, choices, otherwise) => checkChoice(name, raw(name) ?? otherwise, choices),
    subset(name, choices) {
      const value = raw(name) ?? []
      if (!Array.isArray(value)) return fail(`needs ${name} to be a list, got ${describe(value)}`, 'ERR_TYPE', { name })
      if (value.length > choices.length || new Set(value).size !== value.length) {
        fail(`needs ${name} to hold distinct names out of ${choices.join(', ')}`, 'ERR_RANGE', { name, choices })
      }
      for (const entry of value) checkChoice(name, entry, choices)
      return choices.filter((choice) => value.includes(choice))
    },
    pair(name, range, otherwise) {
      const value = raw(name) ?? otherwise
      const both: unknown = Array.isArray(value) ? value : [value, value]
      if (!Array.isArray(both) || both.length !== 2) {
        return fail(`needs ${name} to be a number or [height, width], got ${describe(value)}`, 'ERR_TYPE', { name })
      }
      return [checkNumber(name, both[0], range, true), checkNumber(name, both[1], range, true)]
    },
    numbers(name, range) {
      const value = raw(name)
      if (!Array.isArray(value)) {
        return fail(`needs ${name} to be a list of numbers, got ${describe(value)}`, 'ERR_TYPE', { name })
      }
      return value.map((entry: unknown, index) => checkNumber(`${name}[${index}]`, entry, range, false))
    },
    end() {
      const unknown = Object.keys(options).find((name) => !seen.has(name) && options[name] !== undefined)
      if (unknown === undefined) return
      const known = [...seen].filter((name) => name !== 'kind')
      const offer = known.length > 0 ? `it has ${known.join(', ')}` : 'it has none'
      fail(`has no option ${JSON.stringify(unknown.slice(0, 40))}; ${offer}`, 'ERR_UNKNOWN', { name: unknown })
    },
  }
}

/** A value in a message: short, and never a dump of an object. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value))
    return value.length <= 4 ? `[${value.map(describe).join(', ')}]` : `a list of ${value.length}`
  if (typeof value === 'object')
    return value.constructor?.name === 'Object' ? 'an object' : `a ${value.constructor?.name}`
  return `a ${typeof value}`
}

function describeRange({ min, max, above, below }: NumberRange): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (above !== undefined && below !== undefined) return ` between ${above} and ${below}`
  if (min !== undefined && below !== undefined) return ` from ${min} to below ${below}`
  if (above !== undefined) return ` above ${above}`
  if (min !== undefined) return ` of at least ${min}`
  if (max !== undefined) return ` of at most ${max}`
  if (below !== undefined) return ` below ${below}`
  return ''
}
