import { ArgumentError, ShapeError } from '../errors.js'
import { describe, type OptionFailure, type OptionReader, optionReader } from './options.js'

/**
 * Reader over the options of a call.
 *
 * @throws ArgumentError `ERR_TYPE` or `ERR_RANGE`, ShapeError `ERR_SHAPE`
 */
export function argumentReader(owner: string, values: unknown): OptionReader {
  return optionReader(owner, values, argumentFailure)
}

/** The error for an argument that does not do. */
export const argumentFailure: OptionFailure = (message, code, details) =>
  code === 'ERR_SHAPE'
    ? new ShapeError(message, details)
    : new ArgumentError(message, code === 'ERR_RANGE' ? 'ERR_RANGE' : 'ERR_TYPE', details)

/** The option `signal`: an AbortController in its place would never stop anything. */
export function readSignal(read: OptionReader): AbortSignal | undefined {
  const signal = read.raw('signal')
  if (signal === undefined || signal instanceof AbortSignal) return signal
  return read.fail(`needs signal to be an AbortSignal, such as controller.signal, got ${describe(signal)}`, 'ERR_TYPE')
}
