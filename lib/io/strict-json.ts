/**
 * The part of JSON that a safetensors header needs, read without trust: objects, arrays, strings and whole numbers from
 * 0 to 2^53 - 1. Everything else is refused, as are a name that comes twice in an object (at any depth), lone
 * surrogates, and nesting deeper than four. Objects become Maps, so that no name (`__proto__`) means anything.
 */

export type StrictValue = string | number | readonly StrictValue[] | StrictObject
export type StrictObject = ReadonlyMap<string, StrictValue>

/** Where and why the text is refused. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError'
}

const DEEPEST = 4
const WHITESPACE = /[ \t\n\r]*/y
const WHOLE_NUMBER = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE+-])/y
const LONE_SURROGATE = /\p{Surrogate}/u

/** Reads one value and nothing after it but white space. @throws StrictJsonError */
export function parseStrictJson(text: string): StrictValue {
  const reader = { text, at: 0 }
  const value = readValue(reader, 0)
  skipWhitespace(reader)
  if (reader.at < text.length) throw refuse(reader, 'something follows the value')
  return value
}

interface Reader {
  readonly text: string
  at: number
}

function refuse(reader: Reader, reason: string): StrictJsonError {
  return new StrictJsonError(`${reason} at character ${reader.at}`)
}

function readValue(reader: Reader, depth: number): StrictValue {
  if (depth > DEEPEST) throw refuse(reader, 'nesting is too deep')
  skipWhitespace(reader)
  switch (reader.text[reader.at]) {
    case '{':
      return readObject(reader, depth)
    case '[':
      return readArray(reader, depth)
    case '"':
      return readString(reader)
    default:
      return readNumber(reader)
  }
}

function readObject(reader: Reader, depth: number): StrictObject {
  const entries = new Map<string, StrictValue>()
  reader.at++
  if (accept(reader, '}')) return entries
  do {
    skipWhitespace(reader)
    if (reader.text[reader.at] !== '"') throw refuse(reader, 'a name in quotes is missing')
    const name = readString(reader)
    if (entries.has(name)) throw refuse(reader, `the name ${JSON.stringify(name.slice(0, 100))} comes twice`)
    if (!accept(reader, ':')) throw refuse(reader, "':' is missing")
    entries.set(name, readValue(reader, depth + 1))
  } while (accept(reader, ','))
  if (!accept(reader, '}')) throw refuse(reader, "'}' is missing")
  return entries
}

function readArray(reader: Reader, depth: number): readonly StrictValue[] {
  const items: StrictValue[] = []
  reader.at++
  if (accept(reader, ']')) return items
  do items.push(readValue(reader, depth + 1))
  while (accept(reader, ','))
  if (!accept(reader, ']')) throw refuse(reader, "']' is missing")
  return items
}

function readString(reader: Reader): string {
  const { text, at } = reader
  let end = at + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  if (end >= text.length) throw refuse(reader, 'a string does not end')
  reader.at = end + 1
  let value: unknown
  try {
    value = JSON.parse(text.slice(at, end + 1))
  } catch {
    throw refuse(reader, 'a string has a wrong escape or a control character')
  }
  if (typeof value !== 'string' || LONE_SURROGATE.test(value)) throw refuse(reader, 'a string is not valid Unicode')
  return value
}

function readNumber(reader: Reader): number {
  WHOLE_NUMBER.lastIndex = reader.at
  const digits = WHOLE_NUMBER.exec(reader.text)?.[0]
  const value = Number(digits)
  if (digits === undefined || !Number.isSafeInteger(value)) throw refuse(reader, 'a value is missing or not supported')
  reader.at += digits.length
  return value
}

/** Steps over `mark` if it comes next. */
function accept(reader: Reader, mark: string): boolean {
  skipWhitespace(reader)
  if (reader.text[reader.at] !== mark) return false
  reader.at++
  return true
}

function skipWhitespace(reader: Reader): void {
  WHITESPACE.lastIndex = reader.at
  reader.at += WHITESPACE.exec(reader.text)?.[0].length ?? 0
}
