import { CheckpointError, type ErrorCode } from '../errors.js'

/** The error for a checkpoint that cannot be used. */
export function refuse(path: string, code: ErrorCode, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`${path} ${what}`, code, { path }, cause)
}
