/** What a model takes and gives, and whether a request fits. */
import { classCount, OUTPUTS, type OutputKind, type Serving } from '../io/serving.js'
import { formatShape, type Shape, sameShape, sizeOf } from '../model/shape.js'
import type { NetworkSpec } from '../model/spec.js'
import type { Dtype, TypedArray } from '../native.js'
import { ServeError } from './errors.js'
import type { Datatype, InferenceRequest, ModelSignature, TensorSignature, TensorValue } from './service.js'

/** How each datatype comes in, and as what it goes to the network. */
const CARRIERS = {
  BOOL: [Uint8Array, 'bool'],
  UINT8: [Uint8Array, 'uint8'],
  INT8: [Int8Array, 'int8'],
  INT16: [Int16Array, 'int16'],
  INT32: [Int32Array, 'int32'],
  INT64: [BigInt64Array, 'int64'],
  FP16: [Float32Array, 'float32'],
  BF16: [Float32Array, 'float32'],
  FP32: [Float32Array, 'float32'],
  FP64: [Float64Array, 'float64'],
} as const satisfies Record<Datatype, readonly [abstract new (...args: never[]) => TypedArray, Dtype]>

/** The output's name, and what it holds. */
export interface NamedOutput {
  readonly name: string
  readonly kind: OutputKind
}

/** The input of one request, checked. */
export interface CheckedInput {
  readonly data: TypedArray
  readonly dtype: Dtype
  readonly samples: number
  /** `[...input]`, or `[T, ...input]`. */
  readonly sample: Shape
  /** T that it is computed for. */
  readonly steps: number
}

/** A request that fits the model. */
export interface CheckedRequest {
  readonly input: CheckedInput
  readonly outputs: readonly NamedOutput[]
}

/** The most that one request, and one batch, may hold. */
export interface InputLimits {
  readonly samples: number
  /** Samples × time steps. */
  readonly frames: number
}

/** The signature of a network, and the check of requests against it. */
export class Signature implements ModelSignature {
  readonly inputs: readonly TensorSignature[]
  readonly outputs: readonly TensorSignature[]
  readonly labels?: readonly string[]
  readonly steps: number
  readonly #input: TensorSignature
  readonly #shape: Shape
  /** A code in time cannot be made of a sequence. */
  readonly #onlyImages: boolean
  readonly #outputs: ReadonlyMap<string, NamedOutput>
  readonly #usual: readonly NamedOutput[]
  readonly #limits: InputLimits

  constructor(spec: NetworkSpec, serving: Serving, limits: InputLimits) {
    this.steps = spec.steps
    this.#shape = spec.input
    this.#limits = limits
    this.#onlyImages = spec.layers.some(({ kind }) => kind === 'latencyEncoder')
    this.#input = {
      name: serving.input?.name ?? 'input',
      datatype: serving.input?.datatype ?? 'FP32',
      shape: [-1, ...spec.input],
    }
    this.inputs = [this.#input]
    const labels = serving.labels ?? spec.labels
    if (labels !== undefined) this.labels = labels

    const kinds = classCount(spec) === null ? (['scores', 'steps'] as const) : OUTPUTS
    const named = kinds.map((kind): NamedOutput => ({ kind, name: serving.outputs?.[kind] ?? kind }))
    this.#outputs = new Map(named.map((output) => [output.name, output]))
    this.#usual = named.filter(({ kind }) => kind !== 'steps')
    this.outputs = named.map(({ name, kind }) => ({
      name,
      datatype: kind === 'classes' ? 'INT64' : 'FP32',
      shape: kind === 'classes' ? [-1] : kind === 'steps' ? [-1, -1, ...spec.output] : [-1, ...spec.output],
    }))
  }

  /**
   * Reads a request.
   *
   * @throws ServeError `ERR_SERVE_INPUT`
   */
  check(request: InferenceRequest): CheckedRequest {
    const { name } = this.#input
    const value = request.inputs.get(name)
    if (value === undefined) throw refuse(`the input ${JSON.stringify(name)} is missing`)
    for (const other of request.inputs.keys()) {
      if (other !== name) throw refuse(`there is no input ${shown(other)}; the model takes ${JSON.stringify(name)}`)
    }
    return { input: this.#checkInput(value, request.sequence !== undefined), outputs: this.#choose(request.outputs) }
  }

  #checkInput({ datatype, shape, data }: TensorValue, inSequence: boolean): CheckedInput {
    const carrier = Object.hasOwn(CARRIERS, datatype) ? CARRIERS[datatype] : undefined
    if (carrier === undefined) throw refuse(`there is no datatype ${shown(datatype)}`)
    const [type, dtype] = carrier
    if (!(data instanceof type)) throw refuse(`data of datatype ${datatype} come as ${type.name}`)

    const rank = this.#shape.length
    const extra = shape.length - rank
    const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
    if (!whole || (extra !== 1 && extra !== 2) || !sameShape(shape.slice(extra), this.#shape)) {
      const sample = this.#shape.join(', ')
      throw refuse(`the input must be [B, ${sample}] or [B, T, ${sample}], got ${formatShape(shape.slice(0, 8))}`)
    }
    const [samples = 0] = shape
    const steps = extra === 2 ? shape[1]! : inSequence ? 1 : this.steps
    if (samples < 1 || steps < 1)
      throw refuse(`the input must hold a sample and a time step, got ${formatShape(shape)}`)
    if (steps > 1 && extra === 2 && this.#onlyImages) {
      throw refuse('the model codes its input in time: it takes samples [B, ...], not sequences [B, T, ...]')
    }
    const { samples: most, frames } = this.#limits
    if (samples > most) throw refuse(`a request may hold ${most} samples, got ${samples}; send it in parts`)
    if (samples * steps > frames) {
      throw refuse(`a request may hold ${frames} samples times steps, got ${samples * steps}; send it in parts`)
    }
    // One frame of a sequence is one step of it: [B, 1, ...].
    const sample = extra === 2 ? shape.slice(1) : inSequence ? [1, ...this.#shape] : this.#shape
    const values = samples * sizeOf(sample)
    if (data.length !== values) {
      throw refuse(`the shape ${formatShape(shape)} needs ${values} values, the data has ${data.length}`)
    }
    if ((data instanceof Float32Array || data instanceof Float64Array) && !allFinite(data)) {
      throw refuse('the input holds a value that is not a finite number')
    }
    return { data, dtype, samples, sample, steps }
  }

  #choose(names: readonly string[]): readonly NamedOutput[] {
    if (names.length === 0) return this.#usual
    const chosen = new Map<string, NamedOutput>()
    for (const name of names) {
      const output = this.#outputs.get(name)
      if (output === undefined) {
        throw refuse(`there is no output ${shown(name)}; the model gives ${[...this.#outputs.keys()].join(', ')}`)
      }
      chosen.set(name, output)
    }
    return [...chosen.values()]
  }
}

function allFinite(values: Float32Array | Float64Array): boolean {
  // NaN and infinities survive sums of zeros: one pass without a branch for each value.
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0
  return sum === 0
}

function shown(name: unknown): string {
  return JSON.stringify(String(name).slice(0, 60))
}

function refuse(message: string): ServeError {
  return new ServeError(message, 'ERR_SERVE_INPUT')
}
