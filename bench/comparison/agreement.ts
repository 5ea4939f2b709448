/** Whether two peers computed the same, before anything is timed. */
import { readFileSync } from 'node:fs'
import type { CaseKind } from './cases.js'
import type { ArrayFile } from './peer-process.js'

export interface Agreement {
  readonly equal: boolean
  /** How far they are apart, in words. */
  readonly sentence: string
}

/**
 * Rounding decides a spike where a membrane is as close to the threshold as float32 resolves, and two libraries round
 * differently: so many of all spikes may differ.
 */
const SPIKES = 1e-4
/** Of the largest value. */
const GRADIENT = 1e-4
/** In a network one spike more or less changes gradients, and scores, of much else: by so much of their norm at most. */
const NORM = 0.02
const LOSS = 0.01

export type Outputs = Readonly<Record<string, ArrayFile>>
type Values = Float32Array | Uint8Array

export function agreement(kind: CaseKind, reference: Outputs, other: Outputs): Agreement {
  const values = (outputs: Outputs, name: string): Values => readArray(outputs, name)
  const pair = (name: string): readonly [Values, Values] => {
    const [a, b] = [values(reference, name), values(other, name)]
    if (a.length !== b.length) throw new Error(`${name} has ${b.length} values, the reference ${a.length}`)
    return [a, b]
  }
  if (kind === 'mnist') return ofLosses(...pair('losses'))
  if (kind === 'predict') return ofScores(...pair('scores'), reference.scores!.shape.at(-1)!)
  if (reference.spikes === undefined) return ofNorm('output', ...pair('output'))
  const spikes = pair('spikes')
  return kind === 'lif'
    ? ofNeurons(spikes, pair('gradient'), reference.spikes.shape[0]!)
    : both(ofSpikes(...spikes), ofNorm('gradient', ...pair('gradient')))
}

function readArray(outputs: Outputs, name: string): Values {
  const array = outputs[name]
  if (array === undefined) throw new Error(`it gave no ${name}`)
  const bytes = readFileSync(array.file)
  if (array.dtype === 'uint8') return bytes
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/**
 * LIF alone, `[T, neurons]`: the neurons are independent, so the gradients of those whose spikes are equal must be too.
 */
export function ofNeurons(
  [a, b]: readonly [Values, Values],
  [ga, gb]: readonly [Values, Values],
  steps: number,
): Agreement {
  const neurons = a.length / steps
  const differs = new Uint8Array(neurons)
  let spikes = 0
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue
    spikes++
    differs[i % neurons] = 1
  }
  let [largest, furthest] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(ga[i]!))
    if (differs[i % neurons] === 1) continue
    const apart = Math.abs(ga[i]! - gb[i]!)
    furthest = Math.max(apart, furthest) // NaN stays
  }
  const share = largest === 0 ? furthest : furthest / largest
  return {
    equal: spikes <= SPIKES * a.length && share <= GRADIENT,
    sentence: `${spikes} of ${a.length} spikes differ, gradients by ${share.toExponential(0)} of the largest`,
  }
}

export function ofSpikes(a: Values, b: Values): Agreement {
  let spikes = 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) spikes++
  return { equal: spikes <= 10 * SPIKES * a.length, sentence: `${spikes} of ${a.length} spikes differ` }
}

/** |a - b| over |a|, Euclidean. */
export function ofNorm(name: string, a: Values, b: Values): Agreement {
  let [apart, whole] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    apart += (a[i]! - b[i]!) ** 2
    whole += a[i]! ** 2
  }
  const share = Math.sqrt(apart / (whole || 1))
  return { equal: share <= NORM, sentence: `${name} differs by ${share.toExponential(0)} of its norm` }
}

function ofScores(a: Values, b: Values, classes: number): Agreement {
  const best = (values: Values, row: number): number => {
    const scores = values.subarray(row * classes, (row + 1) * classes)
    return scores.indexOf(Math.max(...scores))
  }
  const rows = a.length / classes
  const same = Array.from({ length: rows }, (_, row) => row).filter((row) => best(a, row) === best(b, row)).length
  const norm = ofNorm('scores', a, b)
  return { equal: norm.equal && same >= 0.98 * rows, sentence: `${same} of ${rows} classes equal, ${norm.sentence}` }
}

/** The first steps of a training: later ones drift apart by rounding. */
function ofLosses(a: Values, b: Values): Agreement {
  const apart = Math.max(...Array.from(a, (loss, i) => Math.abs(loss - b[i]!) / loss))
  return { equal: apart <= LOSS, sentence: `losses of the first ${a.length} steps within ${apart.toExponential(0)}` }
}

function both(one: Agreement, other: Agreement): Agreement {
  return { equal: one.equal && other.equal, sentence: `${one.sentence}, ${other.sentence}` }
}
