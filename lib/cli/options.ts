/** Options of a subcommand: what they are, and their values out of the arguments. */
import { parseArgs } from 'node:util'
import { UsageError } from './failure.js'
import { didYouMean } from './suggestion.js'

interface Described {
  /** One line; says the default. */
  readonly help: string
  /** Another name for the value in the help, such as FILE. */
  readonly value?: string
}

export interface FlagOption extends Described {
  readonly kind: 'flag'
}
export interface TextOption extends Described {
  readonly kind: 'text'
  /** What the whole value must look like, and how an error says so. */
  readonly pattern?: { readonly matches: RegExp; readonly wanted: string }
}
export interface NumberOption extends Described {
  readonly kind: 'integer' | 'number'
  readonly min?: number
  readonly max?: number
}
export interface ChoiceOption<C extends string = string> extends Described {
  readonly kind: 'choice'
  readonly choices: readonly C[]
}

export type Option = FlagOption | TextOption | NumberOption | ChoiceOption
export type Options = Readonly<Record<string, Option>>

type ValueOf<O extends Option> = O extends FlagOption
  ? boolean
  : O extends NumberOption
    ? number | undefined
    : O extends ChoiceOption<infer C>
      ? C | undefined
      : string | undefined

/** What was given for each option; false for a flag that was not. */
export type Values<O extends Options> = { readonly [K in keyof O]: ValueOf<O[K]> }

export interface Parsed<O extends Options> {
  readonly positionals: readonly string[]
  readonly values: Values<O>
}

/** @throws UsageError for an unknown option, a missing value, or one that does not fit */
export function parseOptions<const O extends Options>(args: readonly string[], options: O): Parsed<O> {
  const types = Object.fromEntries(
    Object.entries(options).map(([name, { kind }]) => [
      name,
      { type: kind === 'flag' ? 'boolean' : 'string' } as const,
    ]),
  )
  const { tokens } = parseArgs({ args: [...args], options: types, strict: false, tokens: true, allowPositionals: true })
  const positionals: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { kind }] of Object.entries(options)) values[name] = kind === 'flag' ? false : undefined
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (option === undefined) {
      throw new UsageError(`unknown option ${token.rawName}${didYouMean(token.name, Object.keys(options), '--')}`)
    }
    values[token.name] = readValue(token.name, option, token.value, token.inlineValue === true)
  }
  return { positionals, values: values as Values<O> }
}

function readValue(name: string, option: Option, text: string | undefined, inline: boolean): unknown {
  if (option.kind === 'flag') {
    if (text !== undefined) throw new UsageError(`--${name} takes no value, got ${shown(text)}`)
    return true
  }
  // "--epochs --json": the value was forgotten. A negative number is one, and out of range at worst.
  if (text === undefined || text === '' || (!inline && /^-(?!\.?\d)/.test(text))) {
    throw new UsageError(`--${name} needs a value: ${wanted(option)}`)
  }
  const fits = checkValue(option, text)
  if (fits === undefined) {
    const hint = option.kind === 'choice' ? didYouMean(text, option.choices) : ''
    throw new UsageError(`--${name} must be ${wanted(option)}, got ${shown(text)}${hint}`)
  }
  return fits
}

/** The value, or undefined when the text is none. */
function checkValue(option: Exclude<Option, FlagOption>, text: string): string | number | undefined {
  switch (option.kind) {
    case 'text':
      return option.pattern === undefined || option.pattern.matches.test(text) ? text : undefined
    case 'choice':
      return option.choices.find((choice) => choice === text)
    default: {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
      const whole = option.kind === 'number' ? Number.isFinite(value) : Number.isSafeInteger(value)
      return whole && value >= (option.min ?? -Infinity) && value <= (option.max ?? Infinity) ? value : undefined
    }
  }
}

function wanted(option: Exclude<Option, FlagOption>): string {
  if (option.kind === 'text') return option.pattern?.wanted ?? option.value ?? 'some text'
  if (option.kind === 'choice') return option.choices.join(', ').replace(/, ([^,]*)$/, ' or $1')
  const what = option.kind === 'integer' ? 'a whole number' : 'a number'
  const { min, max } = option
  if (min !== undefined && max !== undefined) return `${what} from ${min} to ${max}`
  return min === undefined ? what : `${what} of at least ${min}`
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

// Options that several subcommands have, worded alike.

export const json = { kind: 'flag', help: 'print JSON instead of text' } as const
export const device = {
  kind: 'text',
  value: 'DEVICE',
  help: 'cpu, cuda, cuda:N or auto (a GPU where there is one; default)',
  pattern: { matches: /^(cpu|auto|cuda(:\d{1,3})?)$/, wanted: 'cpu, cuda, cuda:N or auto' },
} as const
export const threads = {
  kind: 'integer',
  min: 1,
  max: 1024,
  help: 'threads to compute with (default: one for each processor core)',
} as const
export const data = {
  kind: 'text',
  value: 'FOLDER',
  help: 'folder with the data set (default: the places where it is usually put)',
} as const
export const batchSize = { kind: 'integer', min: 1, max: 1_000_000 } as const
export const seed = { kind: 'integer', min: 0, max: Number.MAX_SAFE_INTEGER } as const
