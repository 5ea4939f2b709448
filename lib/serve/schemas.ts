/**
 * What goes over the wire, in TypeBox: requests are checked against these, and the OpenAPI document is made of them.
 * Tensor data are `Unknown` when checked, as reading them checks each number (codec-json.ts).
 */
import { type Static, Type } from 'typebox'
import { datatypeNames } from './datatypes.js'

/** Most inputs or outputs of a request, and dimensions of a tensor. */
export const MOST_TENSORS = 64
export const MOST_DIMENSIONS = 16

const scalar = Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()])
const anyParameters = Type.Record(Type.String(), scalar, {
  description: 'Parameters; those that are not known are ignored.',
})
const id = Type.String({ maxLength: 1024, description: 'Comes back in the response.' })
const size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const shape = Type.Array(size, { maxItems: MOST_DIMENSIONS })
const name = Type.String({ minLength: 1, maxLength: 256 })
const bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const InputParameters = Type.Intersect([
  anyParameters,
  Type.Object({
    binary_data_size: Type.Optional({ ...bytes, description: 'Bytes of this input after the JSON.' }),
  }),
])

const OutputParameters = Type.Intersect([
  anyParameters,
  Type.Object({
    binary_data: Type.Optional(Type.Boolean({ description: 'Give this output as bytes after the JSON.' })),
    classification: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Give the k largest values as "value:index:label" instead of the tensor.',
      }),
    ),
  }),
])

const SequenceId = Type.Union([Type.String({ maxLength: 128 }), Type.Integer({ minimum: 0 })], {
  description: 'Stream whose membranes this request continues; "" and 0: none. Above 2^53 as a string.',
})

const RequestParameters = Type.Intersect([
  anyParameters,
  Type.Object({
    sequence_id: Type.Optional(SequenceId),
    sequence_start: Type.Optional(Type.Boolean({ description: 'Begin from rest.' })),
    sequence_end: Type.Optional(Type.Boolean({ description: 'Forget the stream after this request.' })),
    timeout: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Microseconds; 0: no limit of its own.',
      }),
    ),
    priority: Type.Optional(
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Accepted and ignored.' }),
    ),
    binary_data_output: Type.Optional(
      Type.Boolean({ description: 'Give every output as bytes unless it says binary_data: false.' }),
    ),
  }),
])

export const RequestInput = Type.Object({
  name,
  shape,
  datatype: Type.String(),
  parameters: Type.Optional(InputParameters),
  data: Type.Optional(Type.Unknown()),
})

export const RequestOutput = Type.Object({ name, parameters: Type.Optional(OutputParameters) })

/** An inference request without the data in it. */
export const InferenceRequestHeader = Type.Object({
  id: Type.Optional(id),
  parameters: Type.Optional(RequestParameters),
  inputs: Type.Array(RequestInput, { minItems: 1, maxItems: MOST_TENSORS }),
  outputs: Type.Optional(Type.Array(RequestOutput, { maxItems: MOST_TENSORS })),
})
export type InferenceRequestHeader = Static<typeof InferenceRequestHeader>
export type RequestInput = Static<typeof RequestInput>
export type RequestOutput = Static<typeof RequestOutput>

export const IndexRequest = Type.Object({
  ready: Type.Optional(Type.Boolean({ description: 'Only models that are ready.' })),
})
export const LoadRequest = Type.Object({
  parameters: Type.Optional({
    ...anyParameters,
    description: 'Must be empty: a model is loaded as its folder is. unload_dependents is ignored.',
  }),
})

// What follows is only described.

const TensorData = Type.Array(Type.Unknown(), {
  description: 'Row-major numbers (booleans for BOOL; INT64 beyond 2^53 as strings), flat or nested as the shape.',
})
const datatype = Type.Enum([...datatypeNames])
const metadataTensor = Type.Object({
  name: Type.String(),
  datatype,
  shape: Type.Array(Type.Integer({ minimum: -1 }), { description: '-1: varies.' }),
})
const duration = Type.Object({ count: Type.Integer({ minimum: 0 }), ns: Type.Integer({ minimum: 0 }) })
const modelState = Type.Enum(['LOADING', 'READY', 'UNLOADING', 'UNAVAILABLE'])

const statistics = Type.Object({
  name: Type.String(),
  version: Type.String(),
  last_inference: Type.Integer({ description: 'Milliseconds since 1970; 0: none.' }),
  inference_count: Type.Integer(),
  execution_count: Type.Integer(),
  inference_stats: Type.Object({
    success: duration,
    fail: duration,
    queue: duration,
    compute_input: duration,
    compute_infer: duration,
    compute_output: duration,
  }),
  batch_stats: Type.Array(
    Type.Object({
      batch_size: Type.Integer({ minimum: 0 }),
      compute_input: duration,
      compute_infer: duration,
      compute_output: duration,
    }),
  ),
})

/** Schemas of the OpenAPI document, by name. */
export const components = {
  Error: Type.Object({ error: Type.String({ description: 'One sentence.' }) }),
  Live: Type.Object({ live: Type.Boolean() }),
  Ready: Type.Object({ ready: Type.Boolean() }),
  ModelReady: Type.Object({ name: Type.String(), ready: Type.Boolean() }),
  ServerMetadata: Type.Object({
    name: Type.String(),
    version: Type.String(),
    extensions: Type.Array(Type.String()),
  }),
  ModelMetadata: Type.Object({
    name: Type.String(),
    versions: Type.Array(Type.String()),
    platform: Type.String(),
    inputs: Type.Array(metadataTensor),
    outputs: Type.Array(metadataTensor),
    parameters: Type.Object({
      steps: Type.Integer({ description: 'Time steps that one input is shown for.' }),
      labels: Type.Optional(Type.Array(Type.String())),
    }),
  }),
  InferenceRequest: Type.Object({
    ...InferenceRequestHeader.properties,
    inputs: Type.Array(Type.Object({ ...RequestInput.properties, datatype, data: Type.Optional(TensorData) }), {
      minItems: 1,
      maxItems: MOST_TENSORS,
    }),
  }),
  InferenceResponse: Type.Object({
    model_name: Type.String(),
    model_version: Type.String(),
    id: Type.Optional(id),
    outputs: Type.Array(
      Type.Object({
        name: Type.String(),
        datatype: Type.String(),
        shape: Type.Array(Type.Integer({ minimum: 0 })),
        parameters: Type.Optional(Type.Object({ binary_data_size: Type.Optional(bytes) })),
        data: Type.Optional(TensorData),
      }),
    ),
  }),
  IndexRequest,
  LoadRequest,
  RepositoryIndex: Type.Array(
    Type.Object({ name: Type.String(), version: Type.String(), state: modelState, reason: Type.String() }),
  ),
  Statistics: Type.Object({ model_stats: Type.Array(statistics) }),
}
