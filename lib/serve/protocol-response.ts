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
  const parts: Uint8Array[] = []
  let outputs = ''
  for (const [name, value] of result.outputs) {
    const format = decoded.outputs.find((output) => output.name === name) ?? { name, ...decoded.otherwise }
    const output = encodeOutput(format, value, model.signature.labels, parts)
    outputs = outputs === '' ? output : `${outputs},${output}`
  }
  const id = decoded.id === undefined ? '' : `,"id":${JSON.stringify(decoded.id)}`
  const names = `"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)}`
  const json = `{${names}${id},"outputs":[${outputs}]}`
  if (parts.length === 0) return { body: json }
  const header = Buffer.byteLength(json)
  const body = Buffer.allocUnsafe(parts.reduce((sum, { byteLength }) => sum + byteLength, header))
  let end = body.write(json)
  for (const part of parts) {
    body.set(part, end)
    end += part.byteLength
  }
  return { body, headerLength: header }
}

function encodeOutput(
  { name, binary, classification }: OutputFormat,
  value: TensorValue,
  labels: readonly string[] | undefined,
  parts: Uint8Array[],
): string {
  const classes = classification === undefined ? undefined : classify(name, value, classification, labels)
  const datatype = classes === undefined ? value.datatype : 'BYTES'
  const { shape } = classes ?? value
  const description = `"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}]`
  if (!binary) {
    const data = classes === undefined ? jsonFromElements(name, value) : JSON.stringify(classes.texts)
    return `{${description},"data":${data}}`
  }
  const bytes = classes === undefined ? bytesFromElements(value.data, value.datatype) : lengthPrefixed(classes.texts)
  parts.push(bytes)
  return `{${description},"parameters":{"binary_data_size":${bytes.byteLength}}}`
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
