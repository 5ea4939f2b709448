/**
 * How a network wants to be served: what a checkpoint says in its metadata, under `spikingrx.serving`, beside spec and
 * weights. All of it can be left out.
 *
 *     { "input": { "name": "image", "datatype": "UINT8" }, "outputs": { "scores": "digits" }, "labels": ["0", "1"] }
 */
import { LIMITS } from '../model/limits.js'
import { type OptionFailure, type OptionReader, optionReader } from '../model/options.js'

/** Element types by their names in the Open Inference Protocol. */
export const DATATYPES = ['BOOL', 'UINT8', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'BF16', 'FP32', 'FP64'] as const

/** What a served network can answer with. */
export const OUTPUTS = ['scores', 'probabilities', 'classes', 'steps'] as const
export type OutputKind = (typeof OUTPUTS)[number]

export interface Serving {
  readonly input?: {
    /** Default `input`. */
    readonly name?: string
    /** The type that clients are told to send; UINT8 is an image, scaled by 1/255. All types are taken. Default FP32. */
    readonly datatype?: (typeof DATATYPES)[number]
  }
  /** Other names for outputs. */
  readonly outputs?: Readonly<Partial<Record<OutputKind, string>>>
  /** Names of the classes; default those of the spec. */
  readonly labels?: readonly string[]
}

const NAME = /^[A-Za-z_][\w.:/-]{0,127}$/

/**
 * Checks what a caller or, untrusted, a file says.
 *
 * @param owner first word of every message
 * @param classes K of a network that ends in scores, null for one that ends in feature maps, undefined where not known
 * @throws what `failure` makes
 */
export function parseServing(
  owner: string,
  value: unknown,
  classes: number | null | undefined,
  failure: OptionFailure,
): Serving {
  const read = optionReader(owner, value, failure)
  const serving = readServing(read, owner, classes, failure)
  read.end()
  return serving
}

/** The same out of a reader whose object holds other options too. */
export function readServing(
  read: OptionReader,
  owner: string,
  classes: number | null | undefined,
  failure: OptionFailure,
): Serving {
  const part = (name: string): OptionReader | undefined => {
    const value = read.raw(name)
    return value === undefined ? undefined : optionReader(`${owner} ${name}`, value, failure)
  }
  const input = part('input')
  const outputs = part('outputs')
  const labels = readLabels(read, classes)
  const serving = {
    ...(input === undefined ? {} : { input: readInput(input) }),
    ...(outputs === undefined ? {} : { outputs: readOutputs(outputs) }),
    ...(labels === undefined ? {} : { labels }),
  }
  input?.end()
  outputs?.end()
  return serving
}

function readInput(read: OptionReader): NonNullable<Serving['input']> {
  const name = readName(read, 'name')
  return {
    ...(name === undefined ? {} : { name }),
    ...(read.has('datatype') ? { datatype: read.choice('datatype', DATATYPES, 'FP32') } : {}),
  }
}

function readOutputs(read: OptionReader): NonNullable<Serving['outputs']> {
  const names = OUTPUTS.flatMap((kind) => {
    const name = readName(read, kind)
    return name === undefined ? [] : [[kind, name] as const]
  })
  const chosen = OUTPUTS.map((kind) => new Map<string, string>(names).get(kind) ?? kind)
  if (new Set(chosen).size < chosen.length) read.fail('gives two outputs one name', 'ERR_RANGE')
  return Object.fromEntries(names)
}

function readName(read: OptionReader, option: string): string | undefined {
  const name = read.raw(option)
  if (name === undefined) return undefined
  if (typeof name === 'string' && NAME.test(name)) return name
  return read.fail(
    `needs ${option} to be a name of letters, digits and _ . : / - that begins with a letter`,
    'ERR_TYPE',
  )
}

function readLabels(read: OptionReader, classes: number | null | undefined): readonly string[] | undefined {
  const labels = read.raw('labels')
  if (labels === undefined) return undefined
  const text = (label: unknown): boolean => typeof label === 'string' && label.length <= LIMITS.text
  if (!Array.isArray(labels) || labels.length > LIMITS.labels || !labels.every(text)) {
    return read.fail('needs labels to be a list of strings', 'ERR_TYPE')
  }
  if (classes !== undefined && labels.length !== classes) {
    const has = classes === null ? 'has no classes' : `has ${classes} classes`
    return read.fail(`gives ${labels.length} labels, but the network ${has}`, 'ERR_SHAPE')
  }
  return [...(labels as string[])]
}

/** K of a network that ends in scores; null where it ends in feature maps. */
export function classCount({ output }: { readonly output: readonly number[] }): number | null {
  return output.length === 1 ? (output[0] ?? null) : null
}
