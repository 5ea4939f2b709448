/** Checks a value that came in against its schema, with one sentence about the first thing that is wrong. */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ServeError } from './errors.js'

/**
 * Checker for a schema, compiled when first used: that takes a millisecond.
 *
 * @returns a function that gives the value, typed. @throws ServeError `ERR_SERVE_INPUT` (400)
 */
export function checker<Schema extends TSchema>(schema: Schema): (value: unknown) => Static<Schema> {
  let compiled: ReturnType<typeof Compile<Schema>> | undefined
  return (value) => {
    compiled ??= Compile(schema)
    if (compiled.Check(value)) return value as Static<Schema>
    throw new ServeError(`the request is not as wanted: ${problem(compiled.Errors(value))}`, 'ERR_SERVE_INPUT')
  }
}

interface SchemaProblem {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: unknown
}

function problem(errors: readonly SchemaProblem[]): string {
  const first = errors[0]
  if (first === undefined) return 'no member of it is'
  const missing = (first.params as { requiredProperties?: readonly string[] }).requiredProperties
  if (first.keyword === 'required' && missing !== undefined)
    return `${place(first.instancePath)} has no ${missing.map((name) => JSON.stringify(name)).join(', ')}`
  // Of a union, what each of its members wants.
  const wants = errors
    .filter((error) => error.instancePath === first.instancePath && error.keyword !== 'anyOf')
    .map((error) => error.message.replace(/^must be /, ''))
  return `${place(first.instancePath)} must be ${[...new Set(wants)].slice(0, 4).join(' or ')}`.replace(
    /must be must /,
    'must ',
  )
}

/** '/inputs/0/shape' -> 'inputs[0].shape' */
function place(path: string): string {
  if (path === '') return 'it'
  const steps = path.slice(1, 200).split('/')
  return steps.map((step, i) => (/^\d+$/.test(step) ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')
}
