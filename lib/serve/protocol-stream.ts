/**
 * Messages of a stream. A client sends JSON messages (`ClientMessage`), or the bytes of a frame alone in a binary
 * message; every answer is JSON (`ServerMessage`).
 */
import { type Static, Type } from 'typebox'
import { parseJsonObject } from './codec-body.js'
import { elementsFromJson, jsonFromElements } from './codec-json.js'
import { datatypeInfo, elementsFromBytes, parseDatatype } from './datatypes.js'
import { ServeError } from './errors.js'
import { checker } from './protocol-schema.js'
import { MOST_DIMENSIONS, MOST_TENSORS } from './schemas.js'
import type { InferenceResult, LayerSpikes, TensorSignature, TensorValue } from './service.js'

const wanted = {
  outputs: Type.Optional(
    Type.Array(Type.String({ maxLength: 256 }), { maxItems: MOST_TENSORS, description: 'Outputs to give.' }),
  ),
  spikes: Type.Optional(Type.Boolean({ description: 'Give the spikes of every layer.' })),
}

const Frame = Type.Object({
  type: Type.Literal('frame'),
  id: Type.Optional(Type.String({ maxLength: 1024, description: 'Comes back in the answer.' })),
  data: Type.Unknown({ description: 'Numbers, row-major or nested as the shape.' }),
  shape: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), {
      maxItems: MOST_DIMENSIONS,
      description: '[...input], [B, ...input] or, for several steps at once, [B, T, ...input]. Default: by the length.',
    }),
  ),
  datatype: Type.Optional(Type.String({ description: "Default: the model's." })),
})
const Options = Type.Object(
  { type: Type.Literal('options'), ...wanted },
  { description: 'For all frames that follow.' },
)
const Reset = Type.Object({ type: Type.Literal('reset') }, { description: 'The next frame starts from rest.' })

export const ClientMessage = Type.Union([Frame, Options, Reset])
export type ClientMessage = Static<typeof ClientMessage>

const output = Type.Object({
  name: Type.String(),
  datatype: Type.String(),
  shape: Type.Array(Type.Integer()),
  data: Type.Array(Type.Unknown()),
})
const spikes = Type.Object({
  layer: Type.String(),
  shape: Type.Array(Type.Integer(), { description: '[B, T, ...]' }),
  indices: Type.Array(Type.Integer(), { description: 'Row-major places of the spikes.' }),
  values: Type.Optional(Type.Array(Type.Number(), { description: 'Their sizes, where not all are 1.' })),
})
const tensor = Type.Object({ name: Type.String(), datatype: Type.String(), shape: Type.Array(Type.Integer()) })

export const ServerMessage = Type.Union([
  Type.Object({
    type: Type.Literal('ready'),
    model_name: Type.String(),
    model_version: Type.String(),
    input: tensor,
    outputs: Type.Array(tensor),
    steps: Type.Integer({ description: 'Time steps that the network was trained with.' }),
    labels: Type.Optional(Type.Array(Type.String())),
  }),
  Type.Object({
    type: Type.Literal('step'),
    id: Type.Optional(Type.String()),
    step: Type.Integer({ description: 'Time steps seen since the start or the last reset.' }),
    outputs: Type.Array(output, {
      description:
        'scores: mean over time since the start or the last reset; steps: the output of each step of this frame.',
    }),
    spikes: Type.Optional(Type.Array(spikes)),
  }),
  Type.Object({ type: Type.Literal('reset') }),
  Type.Object({
    type: Type.Literal('error'),
    id: Type.Optional(Type.String()),
    code: Type.String(),
    error: Type.String(),
  }),
])

const checkMessage = checker(ClientMessage)

/** @throws ServeError `ERR_SERVE_INPUT` */
export function parseClientMessage(text: Buffer): ClientMessage {
  const value = parseJsonObject(text)
  const { type } = value
  if (type !== 'frame' && type !== 'options' && type !== 'reset')
    throw new ServeError('a message has the type "frame", "options" or "reset"', 'ERR_SERVE_INPUT')
  return checkMessage(value)
}

/** A frame as `[B, T, ...input]`: T is 1 unless the client says otherwise. @throws ServeError `ERR_SERVE_INPUT` */
export function frameFromJson(frame: Static<typeof Frame>, input: TensorSignature, bytes: number): TensorValue {
  const { data } = frame
  if (!Array.isArray(data)) throw new ServeError('a frame needs data to be an array', 'ERR_SERVE_INPUT')
  const datatype = frame.datatype === undefined ? input.datatype : parseDatatype(frame.datatype, input.name)
  const given = frame.shape ?? shapeByLength(data.length, input)
  const count = given.reduce((product, size) => product * size, 1)
  if (!(count <= bytes)) throw new ServeError(`data holds fewer than the ${count} elements of shape`, 'ERR_SERVE_INPUT')
  return {
    datatype,
    shape: sequenceShape(given, input),
    data: elementsFromJson(data, datatype, given, count, input.name),
  }
}

/** A frame out of its bytes, of the model's datatype. @throws ServeError `ERR_SERVE_INPUT` */
export function frameFromBytes(bytes: Buffer, input: TensorSignature): TensorValue {
  const { size } = datatypeInfo(input.datatype)
  const shape = sequenceShape(shapeByLength(bytes.byteLength / size, input), input)
  return { datatype: input.datatype, shape, data: elementsFromBytes(bytes, input.datatype, input.name) }
}

/** `[B, ...input]` for a number of elements. */
function shapeByLength(length: number, { name, datatype, shape }: TensorSignature): readonly number[] {
  const sizes = shape.slice(1)
  const elements = sizes.reduce((product, size) => product * size, 1)
  const batch = length / elements
  if (Number.isInteger(batch) && batch >= 1 && elements > 0) return [batch, ...sizes]
  throw new ServeError(
    `a frame of "${name}" is ${elements} ${datatype} elements, [${sizes.join(', ')}], or a multiple; got ${length}`,
    'ERR_SERVE_INPUT',
  )
}

function sequenceShape(given: readonly number[], { name, shape }: TensorSignature): readonly number[] {
  const rank = shape.length - 1
  if (given.length === rank) return [1, 1, ...given]
  if (given.length === rank + 1) return [given[0]!, 1, ...given.slice(1)]
  if (given.length === rank + 2) return given
  throw new ServeError(
    `a frame of "${name}" is [${shape.slice(1).join(', ')}], [B, ...] or [B, T, ...] of it, got [${given.join(', ')}]`,
    'ERR_SERVE_INPUT',
  )
}

/** The answer to a frame. @throws ServeError `ERR_SERVE_OUTPUT` for values that JSON can't carry */
export function stepMessage(
  id: string | undefined,
  step: number,
  result: InferenceResult,
  withSpikes: boolean,
): string {
  const outputs = Array.from(
    result.outputs,
    ([name, value]) =>
      `{"name":${JSON.stringify(name)},"datatype":"${value.datatype}","shape":[${value.shape.join(',')}],"data":${jsonFromElements(name, value)}}`,
  )
  const start = `{"type":"step"${id === undefined ? '' : `,"id":${JSON.stringify(id)}`},"step":${step}`
  const layers = withSpikes ? `,"spikes":[${result.records.map(spikesText).join(',')}]` : ''
  return `${start},"outputs":[${outputs.join(',')}]${layers}}`
}

/** Most neurons are silent at most steps: where the spikes are takes less than the whole array. */
function spikesText({ layer, shape, values }: LayerSpikes): string {
  const indices: number[] = []
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) indices.push(i)
  const sizes = indices.map((index) => values[index])
  const graded = sizes.some((size) => size !== 1) ? `,"values":[${sizes.join(',')}]` : ''
  return `{"layer":${JSON.stringify(layer)},"shape":[${shape.join(',')}],"indices":[${indices.join(',')}]${graded}}`
}
