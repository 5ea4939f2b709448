import { SpikingRxError } from '../../lib/errors.js'
import type { Tensor } from '../../lib/tensor/index.js'

export const numbers = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number)

/** Code of the typed error that a call throws, on one line. */
export function codeOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return typedCode(error)
  }
  return 'nothing thrown'
}

/** Code of the typed error that a promise ends with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'nothing thrown', typedCode)
}

function typedCode(error: unknown): string {
  if (!(error instanceof SpikingRxError)) return `not typed: ${String(error)}`
  return error.message.includes('\n') ? `several lines: ${error.message}` : error.code
}
