/** Errors as the command line tells them. */
import { SpikingRxError } from '../errors.js'
import { EXIT, type ExitCode } from './exit.js'

/** A mistake on the command line. `ERR_USAGE` */
export class UsageError extends SpikingRxError {
  override readonly name = 'UsageError'
  constructor(message: string) {
    super(message, 'ERR_USAGE')
  }
}

/**
 * An error on one line, its code in brackets; with `debug` the stacks of it and of what caused it below.
 *
 *     spikingrx evaluate: model.safetensors does not exist [ERR_CHECKPOINT_MISSING]
 */
export function failureText(error: unknown, who: string, debug: boolean): string {
  const message = error instanceof Error ? error.message : String(error)
  const code = errorCode(error)
  const hint = debug ? '' : whereToLook(error, who)
  const line = `${who}: ${message.trim().replace(/\s*\n\s*/g, ' ')}${hint} [${code}]`
  return debug ? [line, ...stacks(error)].join('\n') : line
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof UsageError ? EXIT.usage : EXIT.failed
}

function whereToLook(error: unknown, who: string): string {
  if (error instanceof UsageError) return ` (see ${who} --help)`
  return error instanceof SpikingRxError ? '' : ' (SPIKINGRX_DEBUG=1 shows where)'
}

function errorCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : 'ERR_UNEXPECTED'
}

/** The stack of an error, of its cause, and so on. */
function stacks(error: unknown): string[] {
  const found: string[] = []
  for (let current = error; current instanceof Error && found.length < 10; current = current.cause) {
    found.push(`${found.length === 0 ? '' : 'caused by '}${current.stack ?? current.message}`)
  }
  return found
}
