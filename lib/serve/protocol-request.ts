/**
 * An inference request off the wire: JSON, JSON followed by the bytes of tensors (`Inference-Header-Content-Length`), or
 * the bytes of the one input alone (that header being 0).
 */

import { parseJsonObject } from './codec-body.js'
import { elementsFromJson } from './codec-json.js'
import { datatypeInfo, elementsFromBytes, parseDatatype } from './datatypes.js'
import { ServeError } from './errors.js'
import { checker } from './protocol-schema.js'
import { InferenceRequestHeader, type RequestInput, type RequestOutput } from './schemas.js'
import type { InferenceRequest, ModelSignature, SequencePosition, TensorValue } from './service.js'

/** How the client wants one output. */
export interface OutputFormat {
  readonly name: string
  readonly binary: boolean
  /** The k largest values with their classes, instead of the tensor. */
  readonly classification?: number
}

export interface DecodedRequest {
  readonly id?: string
  readonly request: InferenceRequest
  /** In the order asked for; empty: the model's default outputs, each as `otherwise` says. */
  readonly outputs: readonly OutputFormat[]
  readonly otherwise: { readonly binary: boolean }
}

const checkHeader = checker(InferenceRequestHeader)

/**
 * @param headerLength value of `Inference-Header-Content-Length`, if sent
 * @param signature of the model asked: tells the one input of a body of bytes, and the names of outputs
 * @throws ServeError `ERR_SERVE_INPUT` (400) naming what is wrong
 */
export function decodeRequest(
  body: Buffer,
  headerLength: string | undefined,
  signature: ModelSignature,
): DecodedRequest {
  const jsonLength = parseHeaderLength(headerLength, body.byteLength)
  if (jsonLength === 0) return rawRequest(body, signature)
  const json = jsonLength === undefined ? body : body.subarray(0, jsonLength)
  const header = checkHeader(parseJsonObject(json))
  const binary = jsonLength === undefined ? undefined : body.subarray(jsonLength)
  const parameters = header.parameters ?? {}
  const outputs = outputFormats(header.outputs ?? [], parameters.binary_data_output === true, signature)
  const sequence = sequencePosition(parameters)
  const timeout = parameters.timeout ?? 0
  return {
    ...(header.id === undefined ? {} : { id: header.id }),
    outputs,
    otherwise: { binary: parameters.binary_data_output === true },
    request: {
      inputs: readInputs(header.inputs, json.byteLength, binary),
      outputs: outputs.map((output) => output.name),
      ...(sequence === undefined ? {} : { sequence }),
      ...(timeout > 0 ? { timeout: timeout / 1000 } : {}),
    },
  }
}

function refuse(message: string, details: Record<string, unknown> = {}): ServeError {
  return new ServeError(message, 'ERR_SERVE_INPUT', details)
}

function parseHeaderLength(text: string | undefined, bodyLength: number): number | undefined {
  if (text === undefined) return undefined
  const length = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (length <= bodyLength) return length
  throw refuse(
    `Inference-Header-Content-Length must be a number of bytes, at most the ${bodyLength} of the body, got ${JSON.stringify(text.slice(0, 40))}`,
  )
}

/** The whole body as the model's one input; the size left open in its shape follows from the bytes. */
function rawRequest(body: Buffer, signature: ModelSignature): DecodedRequest {
  const [input] = signature.inputs
  if (input === undefined || signature.inputs.length !== 1)
    throw refuse(`a body of bytes alone is for a model with one input; this one has ${signature.inputs.length}`)
  const { name, datatype } = input
  const fixed = input.shape.reduce((product, size) => (size < 0 ? product : product * size), 1)
  const sample = fixed * datatypeInfo(datatype).size
  const open = input.shape.filter((size) => size < 0).length
  const count = body.byteLength / sample
  if (open > 1 || !Number.isInteger(count) || count < 1 || (open === 0 && count !== 1)) {
    throw refuse(
      `input "${name}" is ${datatype} [${input.shape.join(', ')}], ${open > 0 ? 'a multiple of ' : ''}${sample} bytes, got ${body.byteLength}`,
      { input: name },
    )
  }
  const shape = input.shape.map((size) => (size < 0 ? count : size))
  const value: TensorValue = { datatype, shape, data: elementsFromBytes(body, datatype, name) }
  return { request: { inputs: new Map([[name, value]]), outputs: [] }, outputs: [], otherwise: { binary: true } }
}

function readInputs(
  inputs: readonly RequestInput[],
  jsonLength: number,
  binary: Buffer | undefined,
): ReadonlyMap<string, TensorValue> {
  const values = new Map<string, TensorValue>()
  let at = 0
  for (const input of inputs) {
    if (values.has(input.name)) throw refuse(`input "${input.name}" comes twice`, { input: input.name })
    const size = input.parameters?.binary_data_size
    if (size === undefined) values.set(input.name, jsonTensor(input, jsonLength))
    else {
      values.set(input.name, binaryTensor(input, size, binary, at))
      at += size
    }
  }
  if (binary !== undefined && at !== binary.byteLength) {
    throw refuse(`${binary.byteLength} bytes follow the JSON, but binary_data_size of the inputs adds up to ${at}`)
  }
  return values
}

function jsonTensor({ name, shape, datatype, data }: RequestInput, length: number): TensorValue {
  const type = parseDatatype(datatype, name)
  if (!Array.isArray(data)) {
    const problem = data === undefined ? 'has neither data nor binary_data_size' : 'needs data to be an array'
    throw refuse(`input "${name}" ${problem}`, { input: name })
  }
  const count = elementCount(name, shape)
  // What came bounds what memory is taken for it: an element is one character at least.
  if (count > length || (!Array.isArray(data[0]) && data.length !== count)) {
    const problem = count > length ? 'more than the request holds' : `data ${data.length}`
    throw refuse(`input "${name}": shape [${shape.join(', ')}] has ${count} elements, ${problem}`, { input: name })
  }
  return { datatype: type, shape, data: elementsFromJson(data, type, shape, count, name) }
}

function binaryTensor(input: RequestInput, size: number, binary: Buffer | undefined, at: number): TensorValue {
  const { name, shape } = input
  const datatype = parseDatatype(input.datatype, name)
  if (input.data !== undefined) throw refuse(`input "${name}" has both data and binary_data_size`, { input: name })
  if (binary === undefined)
    throw refuse(`input "${name}" is binary: send Inference-Header-Content-Length, the bytes of JSON before it`)
  const wanted = elementCount(name, shape) * datatypeInfo(datatype).size
  if (size !== wanted)
    throw refuse(
      `input "${name}": ${datatype} [${shape.join(', ')}] takes ${wanted} bytes, binary_data_size is ${size}`,
    )
  if (at + size > binary.byteLength)
    throw refuse(`input "${name}": the body ends after ${binary.byteLength - at} of its ${size} bytes`)
  return { datatype, shape, data: elementsFromBytes(binary.subarray(at, at + size), datatype, name) }
}

function elementCount(name: string, shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1)
  // Also the shape [0, 2^53 - 1, 2^53 - 1], whose product is no problem but whose sizes are.
  const sizes = shape.reduce((product, size) => product * Math.max(size, 1), 1)
  if (sizes <= 2 ** 31 - 1) return count
  throw refuse(`input "${name}": shape [${shape.join(', ')}] has more elements than a request can hold`, {
    input: name,
  })
}

function outputFormats(
  outputs: readonly RequestOutput[],
  binary: boolean,
  signature: ModelSignature,
): readonly OutputFormat[] {
  const names = signature.outputs.map((output) => output.name)
  const seen = new Set<string>()
  return outputs.map(({ name, parameters = {} }) => {
    if (!names.includes(name))
      throw refuse(`there is no output ${JSON.stringify(name)}; the model has ${names.join(', ')}`, { output: name })
    if (seen.has(name)) throw refuse(`output "${name}" is asked for twice`, { output: name })
    seen.add(name)
    const { classification } = parameters
    return {
      name,
      binary: parameters.binary_data ?? binary,
      ...(classification === undefined ? {} : { classification }),
    }
  })
}

interface SequenceParameters {
  readonly sequence_id?: string | number
  readonly sequence_start?: boolean
  readonly sequence_end?: boolean
}

function sequencePosition(parameters: SequenceParameters): SequencePosition | undefined {
  const { sequence_id: id = '', sequence_start: start = false, sequence_end: end = false } = parameters
  if (typeof id === 'number' && !Number.isSafeInteger(id))
    throw refuse(`sequence_id ${id} may not be what was sent: write numbers beyond 2^53 as a string`)
  if (id !== '' && id !== 0) return { id: String(id), start, end }
  if (start || end) throw refuse('sequence_start and sequence_end need a sequence_id that is neither 0 nor ""')
  return undefined
}
