/**
 * The generic door to libtorch: every operator of its dispatcher by name, ours among them. The typed wrappers of this
 * folder are one line each on top of it.
 */
import { ArgumentError } from '../errors.js'
import type { OperatorValue } from '../native.js'
import { native } from '../runtime/addon.js'
import { Tensor } from './tensor.js'

/**
 * Argument of an operator. `null` is None. By the schema a number becomes an int, a float or a Scalar (an integer one
 * when it has no fraction); a string a str, a Device or a dtype; an array an int[], float[] or Tensor[].
 */
export type OperatorArgument = null | boolean | number | bigint | string | Tensor | readonly OperatorArgument[]

/** Result of an operator: several results come as an array, none as null. */
export type OperatorResult = null | boolean | number | bigint | string | Tensor | readonly OperatorResult[]

export type NamedArguments = Readonly<Record<string, OperatorArgument>>

/**
 * Calls an operator by its schema's name: `op('aten::add.Tensor', [x, y], { alpha: 2 })`. `aten::` may be left out.
 * Missing arguments take the schema's defaults; {@link operatorSchema} shows them.
 *
 * @throws TorchError when libtorch knows no such operator or refuses the arguments
 */
export function op(name: string, args: readonly OperatorArgument[], named: NamedArguments = {}): OperatorResult {
  const result = native().callOperator(qualified(name), args.map(lower), lowerNamed(named))
  afterInPlace(name, args, named)
  return raise(result)
}

/** {@link op} on the executor thread, after the asynchronous calls before it. */
export async function opAsync(
  name: string,
  args: readonly OperatorArgument[],
  named: NamedArguments = {},
): Promise<OperatorResult> {
  const result = await native().callOperatorAsync(qualified(name), args.map(lower), lowerNamed(named))
  afterInPlace(name, args, named)
  return raise(result)
}

/** {@link op} for an operator whose one result is a tensor. */
export function tensorOp(name: string, args: readonly OperatorArgument[], named: NamedArguments = {}): Tensor {
  const result = op(name, args, named)
  if (result instanceof Tensor) return result
  throw new ArgumentError(`${name} does not give one tensor: call it with op() or tensorsOp()`, 'ERR_TYPE', { name })
}

/** {@link op} for an operator that gives several tensors. */
export function tensorsOp(
  name: string,
  args: readonly OperatorArgument[],
  named: NamedArguments = {},
): readonly Tensor[] {
  const result = op(name, args, named)
  if (Array.isArray(result) && result.every((item) => item instanceof Tensor)) return result as readonly Tensor[]
  throw new ArgumentError(`${name} does not give several tensors: call it with op()`, 'ERR_TYPE', { name })
}

/** The schema of an operator: `add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`. */
export function operatorSchema(name: string): string {
  return native().operatorSchema(qualified(name))
}

function qualified(name: string): string {
  return name.includes('::') ? name : `aten::${name}`
}

function lower(value: OperatorArgument): OperatorValue {
  if (value instanceof Tensor) return { handle: value.handle }
  if (Array.isArray(value)) return (value as readonly OperatorArgument[]).map(lower)
  if (value === undefined || typeof value === 'function' || (typeof value === 'object' && value !== null)) {
    throw new ArgumentError('An operator takes tensors, numbers, strings, booleans, null and arrays of these')
  }
  return value as OperatorValue
}

function lowerNamed(named: NamedArguments): Record<string, OperatorValue> {
  const lowered: Record<string, OperatorValue> = {}
  for (const [key, value] of Object.entries(named)) lowered[key] = lower(value)
  return lowered
}

function raise(value: OperatorValue): OperatorResult {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly OperatorValue[]).map(raise)
  return new Tensor((value as { readonly handle: number }).handle)
}

/** Operators named `add_`, and those with `out`, change a tensor they were given: its shape may be another now. */
function afterInPlace(name: string, args: readonly OperatorArgument[], named: NamedArguments): void {
  const base = name.split('.', 1)[0]!
  if (!base.endsWith('_') && !('out' in named)) return
  for (const value of [...args, ...Object.values(named)]) if (value instanceof Tensor) value.forget()
}
