import { beforeAll, describe, expect, it } from 'vitest'
import { core, pythonWithTorch, whyNoTorch } from './python.js'

interface GroupReport {
  readonly cases: number
  readonly failures: readonly string[]
}

/** What operators.py compares, and in how many cases. */
const groups: Readonly<Record<string, number>> = {
  'lif: every combination of options': 960,
  'lif: shapes, layouts and dtypes': 13,
  surrogate: 5,
  conv_block: 32,
  spike_norm: 40,
  sew_connect: 4,
  'gradcheck where the function is smooth': 13,
  'wrong arguments are ValueErrors of one sentence': 7,
}

const reason = whyNoTorch()

describe.skipIf(reason !== null)(`the compute core in a Python process${reason ? ` (${reason})` : ''}`, () => {
  let report: Readonly<Record<string, GroupReport>> = {}

  beforeAll(() => {
    report = JSON.parse(pythonWithTorch()('operators.py', core()))
  }, 300_000)

  it.each(Object.entries(groups))("agrees with torch's autograd: %s, %i cases", (name, cases) => {
    expect(report[name]).toEqual({ cases, failures: [] })
  })
})
