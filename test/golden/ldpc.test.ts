import { describe, expect, it } from 'vitest'
import {
  attachCrc,
  type BaseGraph,
  type CrcName,
  checkCrc,
  codeWordLength,
  encodeTransportBlock,
  goldSequence,
  type LdpcCode,
  ldpcCode,
  ldpcDecode,
  ldpcEncode,
  rateMatch,
  rateRecover,
  scramble,
  scramblingState,
  transportBlock,
} from '../../lib/receiver/coding.js'
import { scope, slice, stack, type Tensor, tensor, zeros } from '../../lib/tensor/index.js'
import { expectClose, type GoldenCase, readFamily, toTensor } from './vectors.js'

interface CodeCase {
  readonly graph: BaseGraph
  readonly lifting: number
  readonly k: number
  readonly n: number
  readonly bitsPerSymbol: number
}

const all = await readFamily<Record<string, unknown>>('ldpc')

function cases<Options>(kind: string): GoldenCase<Options>[] {
  return all.filter(({ name }) => name.startsWith(kind)) as unknown as GoldenCase<Options>[]
}

/** The first `length` bits of each row that numpy.packbits packed. */
function unpacked(values: GoldenCase<unknown>['values'], name: string, length: number): number[][] {
  const { data, shape } = values(name)
  const bytes = shape.at(-1)!
  const rows = data.length / bytes
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length }, (_, i) => (Number(data[row * bytes + (i >> 3)]) >> (7 - (i & 7))) & 1),
  )
}

const bitsOf = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number)

describe("Sionna's LDPC5GEncoder, bit for bit, in all four redundancy versions", () => {
  it.each(cases<CodeCase>('encode'))('$name', async ({ options: { graph, lifting, k, n, bitsPerSymbol }, values }) => {
    const code = ldpcCode({ informationBits: k, baseGraph: graph })
    expect(code.liftingSize).toBe(lifting)
    const words = await ldpcEncode(tensor(unpacked(values, 'bits', k)), code)
    const expected = unpacked(values, 'words', n)
    for (const redundancyVersion of [0, 1, 2, 3]) {
      const sent = await rateMatch(words, code, { length: n, bitsPerSymbol, redundancyVersion })
      expect(sent.shape).toEqual([1, n])
      expect(bitsOf(sent)).toEqual(expected[redundancyVersion])
    }
  })

  it('covers every set of lifting sizes with both graphs', () => {
    const odd = (size: number): number => (size % 2 === 0 && size > 2 ? odd(size / 2) : size)
    for (const graph of [1, 2]) {
      const sets = cases<CodeCase>('encode').flatMap(({ options }) =>
        options.graph === graph ? [odd(options.lifting)] : [],
      )
      expect([...new Set(sets)].sort((a, b) => a - b)).toEqual([2, 3, 5, 7, 9, 11, 13, 15])
    }
  })
})

describe("Sionna's CRCEncoder", () => {
  it.each(cases<{ polynomial: CrcName; k: number }>('crc'))('$name', ({ options: { polynomial, k }, values }) => {
    const bits = tensor(unpacked(values, 'bits', k))
    const withCrc = attachCrc(bits, polynomial)
    expect(bitsOf(withCrc)).toEqual(unpacked(values, 'words', withCrc.shape[1]!)[0])
    expect(checkCrc(withCrc, polynomial).toArray()).toEqual([true])
  })
})

describe("Sionna's scrambling sequences", () => {
  it.each(cases<{ initial?: number; rnti: number; identity: number; codeWord: number; length: number }>('scrambling'))(
    '$name',
    ({ options: { initial, length, ...identity }, values }) => {
      const state = initial ?? scramblingState(identity)
      const expected = unpacked(values, 'sequence', length)[0]
      expect(bitsOf(goldSequence(length, state))).toEqual(expected)
      expect(bitsOf(scramble(zeros([1, length], { dtype: 'int32' }), state))).toEqual(expected)
    },
  )
})

describe("Sionna's TBEncoder", () => {
  it.each(
    cases<{
      size: number
      codedBits: number
      rate: number
      bitsPerSymbol: number
      layers: number
      rnti: number
      identity: number
      codeBlocks: number
      codeBlockBits: number
      lengths: readonly number[]
    }>('transport block'),
  )('$name', async ({ options: { rnti, identity, codeBlocks, codeBlockBits, lengths, ...options }, values }) => {
    const block = transportBlock({ ...options, scrambling: { rnti, identity } })
    expect(block.codeBlocks).toBe(codeBlocks)
    expect(block.code.informationBits).toBe(codeBlockBits)
    expect(block.lengths).toEqual(lengths)
    const sent = await encodeTransportBlock(tensor(unpacked(values, 'bits', options.size)), block)
    expect(bitsOf(sent)).toEqual(unpacked(values, 'words', options.codedBits)[0])
  })
})

describe("what Sionna's decoder puts together of several redundancy versions", () => {
  it.each(cases<CodeCase & { versions: readonly number[] }>('recover'))('$name', async ({ options, values }) => {
    const { graph, k, bitsPerSymbol, versions } = options
    const code = ldpcCode({ informationBits: k, baseGraph: graph })
    const llr = toTensor(values('llr'))
    let received: Tensor | undefined
    for (const [row, redundancyVersion] of versions.entries()) {
      const one = slice(llr, 0, { start: row, end: row + 1 })
      received = await rateRecover(one, code, { bitsPerSymbol, redundancyVersion }, received)
    }
    const expected = values('words')
    const filler = { from: k, to: code.baseGraph === 1 ? 22 * code.liftingSize : 10 * code.liftingSize }
    // Sionna puts -20 in the place of the filler, which our decoder knows.
    const data = Array.from(expected.data, Number).map((value, i) => (i >= filler.from && i < filler.to ? 0 : value))
    expectClose(
      received!,
      { ...expected, data: Float32Array.from(data), shape: [1, codeWordLength(code)] },
      1e-6,
      'the LLRs',
    )
  })
})

describe("the LLRs after Sionna's LDPC5GDecoder has run", () => {
  const updates: Record<string, object> = {
    'boxplus-phi': { update: 'sum-product' },
    minsum: { update: 'min-sum', scale: 1 },
    'offset-minsum': { update: 'min-sum', scale: 1, offset: 0.5 },
  }
  it.each(
    cases<CodeCase & { llr: string; update: string; schedule: 'flooding' | 'layered'; iterations: number }>('decode'),
  )('$name', async ({ options, values }) => {
    const { graph, k, llr, update, schedule, iterations } = options
    const code: LdpcCode = ldpcCode({ informationBits: k, baseGraph: graph })
    const received = await rateRecover(toTensor(values(llr)), code)
    const settings = { ...updates[update], schedule, iterations, stopEarly: false, posterior: true }
    const { posterior, bits, iterations: used } = await ldpcDecode(received, code, settings)
    const soft = slice(posterior!, 1, { end: k })
    const expected = values('posterior')
    expectClose(soft, expected, 1e-3 / 20, 'the LLRs, which go up to 20: apart by 1e-3')
    // After one iteration some punctured bits are undecided still: 0 with us, 1e-11 with Sionna.
    const decided = Array.from(expected.data, Number).flatMap((value, i) => (Math.abs(value) > 1e-6 ? [i] : []))
    const hard = bitsOf(bits)
    expect(decided.length).toBeGreaterThan(0.7 * hard.length)
    expect(decided.map((i) => hard[i])).toEqual(decided.map((i) => (Number(expected.data[i]) > 0 ? 1 : 0)))
    expect(bitsOf(used)).toEqual([iterations, iterations, iterations])
  })
})

it('gives each word what it gives it alone, whatever else is in the batch', async () => {
  const { options, values } = cases<CodeCase & { llr: string }>('decode')[0]!
  const code = ldpcCode({ informationBits: options.k, baseGraph: options.graph })
  const llr = await rateRecover(toTensor(values(options.llr)), code)
  const together = await ldpcDecode(llr, code, { posterior: true })
  await scope(async () => {
    const alone: Tensor[] = []
    for (let row = 0; row < 3; row++) {
      const one = await ldpcDecode(slice(llr, 0, { start: row, end: row + 1 }), code, { posterior: true })
      alone.push(one.posterior!)
    }
    expect(stack(alone).toTypedArray()).toEqual(together.posterior!.toTypedArray())
  })
})
