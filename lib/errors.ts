/** Machine-readable reason of a {@link SpikingRxError}: stable across releases. */
export type ErrorCode = `ERR_${string}`

/** Base of every error this package throws: one clean sentence and a stable `code`. */
export class SpikingRxError extends Error {
  override readonly name: string = 'SpikingRxError'
  readonly code: ErrorCode
  /** Values behind the sentence (shapes, names, limits), for programs. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, code: ErrorCode, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** A tensor or a layer input has another shape than expected. `ERR_SHAPE` */
export class ShapeError extends SpikingRxError {
  override readonly name = 'ShapeError'
  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, 'ERR_SHAPE', details, cause)
  }
}

/** An argument is of another type than expected (`ERR_TYPE`), outside its range (`ERR_RANGE`), or otherwise unfit (`ERR_ARGUMENT`). */
export class ArgumentError extends SpikingRxError {
  override readonly name = 'ArgumentError'
  constructor(
    message: string,
    code: 'ERR_TYPE' | 'ERR_RANGE' | 'ERR_ARGUMENT' = 'ERR_TYPE',
    details: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(message, code, details, cause)
  }
}

/** A network spec is not valid: unknown layer, option out of range, sizes that do not fit. */
export class SpecError extends SpikingRxError {
  override readonly name = 'SpecError'
}

/** A checkpoint is missing, damaged, or made for another network. */
export class CheckpointError extends SpikingRxError {
  override readonly name = 'CheckpointError'
}

/** A data set is missing or damaged. */
export class DataError extends SpikingRxError {
  override readonly name = 'DataError'
}

/** The device asked for is not there. `ERR_DEVICE` */
export class DeviceError extends SpikingRxError {
  override readonly name = 'DeviceError'
  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, 'ERR_DEVICE', details, cause)
  }
}

/** No usable libtorch was found. `ERR_LIBTORCH_NOT_FOUND` */
export class LibtorchNotFoundError extends SpikingRxError {
  override readonly name = 'LibtorchNotFoundError'
  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, 'ERR_LIBTORCH_NOT_FOUND', details, cause)
  }
}

/** The libtorch found is of a minor version this package has no core for. `ERR_LIBTORCH_VERSION` */
export class LibtorchVersionError extends SpikingRxError {
  override readonly name = 'LibtorchVersionError'
  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, 'ERR_LIBTORCH_VERSION', details, cause)
  }
}

/** libtorch refused an operation; `code` tells the kind (`ERR_TORCH`, `ERR_TORCH_OUT_OF_MEMORY`, ...). */
export class TorchError extends SpikingRxError {
  override readonly name = 'TorchError'
}

/** A tensor, model or optimizer was used after `dispose`, or while a training step owns it. */
export class StateError extends SpikingRxError {
  override readonly name = 'StateError'
}

/** The work was stopped by an AbortSignal. `ERR_ABORTED` */
export class AbortedError extends SpikingRxError {
  override readonly name = 'AbortedError'
  constructor(message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, 'ERR_ABORTED', details, cause)
  }
}
