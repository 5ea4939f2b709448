/** An inference result onto the wire: JSON, or JSON followed by the bytes of the outputs that are wanted so. */
import { classify } from './classification.js'
import { jsonFromElements } from './codec-json.js'
import { bytesFromElements } from './datatypes.js'
import type { DecodedRequest, OutputFormat } from './protocol-request.js'
import type { InferenceResult, ModelSignature, TensorValue } from './service.js'

export interface EncodedResponse {
  readonly body: string | Buffer
  /** Bytes of JSON at the start of the body, where bytes of tensors follow. */
  readonly headerLength?: number
}

interface Answerer {
  readonly name: string
  readonly version: string
  readonly signature: ModelSignature
}

/** @throws ServeError `ERR_SERVE_OUTPUT` (400) for values that JSON can't carry, or a classification of no classes */
export function encodeResponse(model: Answerer, decoded: DecodedRequest, result: InferenceResult): EncodedResponse {
  const wanted = new Map(decoded.outputs.map((output) => [output.name, output]))
  const parts: Uint8Array[] = []
  const outputs = Array.from(result.outputs, ([name, value]) => {
    const format = wanted.get(name) ?? { name, ...decoded.otherwise }
    return encodeOutput(format, value, model.signature.labels, parts)
  })
  const id = decoded.id === undefined ? '' : `,"id":${JSON.stringify(decoded.id)}`
  const names = `"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)}`
  const json = `{${names}${id},"outputs":[${outputs.join(',')}]}`
  if (parts.length === 0) return { body: json }
  const header = Buffer.from(json)
  return { body: Buffer.concat([header, ...parts]), headerLength: header.byteLength }
}

function encodeOutput(
  format: OutputFormat,
  value: TensorValue,
  labels: readonly string[] | undefined,
  parts: Uint8Array[],
): string {
  const { name, binary, classification } = format
  const data =
    classification === undefined
      ? { shape: value.shape, datatype: value.datatype, ...tensorData(name, value) }
      : classData(name, value, classification, labels)
  const description = `"name":${JSON.stringify(name)},"datatype":"${data.datatype}","shape":[${data.shape.join(',')}]`
  if (!binary) return `{${description},"data":${data.json()}}`
  const bytes = data.bytes()
  parts.push(bytes)
  return `{${description},"parameters":{"binary_data_size":${bytes.byteLength}}}`
}

function tensorData(name: string, value: TensorValue) {
  return {
    json: () => jsonFromElements(name, value),
    bytes: () => bytesFromElements(value.data, value.datatype),
  }
}

function classData(name: string, value: TensorValue, count: number, labels: readonly string[] | undefined) {
  const { shape, texts } = classify(name, value, count, labels)
  return { shape, datatype: 'BYTES', json: () => JSON.stringify(texts), bytes: () => lengthPrefixed(texts) }
}

/** BYTES on the wire: of each element its length in four bytes, little-endian, and the bytes. */
export function lengthPrefixed(texts: readonly string[]): Buffer {
  const parts = texts.flatMap((text) => {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.byteLength)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}
