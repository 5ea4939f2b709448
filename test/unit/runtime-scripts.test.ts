import { describe, expect, it } from 'vitest'

interface Counts {
  passed: number
  failed: number
  skipped?: number
}
interface Scripts {
  countCtest(output: string): Counts
  countVitest(report: object): Counts
}
const { countCtest, countVitest } = (await import(new URL('../../scripts/test.mjs', import.meta.url).href)) as Scripts

describe('the sum that npm test prints', () => {
  it("adds up the cases of ctest's programs; a crash counts as one failed", () => {
    const output = [
      '1: lif_test: 12 passed, 0 failed',
      '1/4 Test #1: lif_test .........................   Passed    1.02 sec',
      '2: sew_test: 5 passed, 2 failed',
      '2/4 Test #2: sew_test .........................***Failed    0.50 sec',
      '3: 7 passed in the middle of a line, 3 failed',
      '3/4 Test #3: network_test .....................Subprocess aborted***Exception:   0.10 sec',
      '4: schedule_test: 4 passed, 0 failed',
      '4/4 Test #4: schedule_test ....................***Timeout 300.0 sec',
    ].join('\n')
    expect(countCtest(output)).toEqual({ passed: 21, failed: 4 })
  })

  it('counts a file that vitest could not load as one failed', () => {
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      numPendingTests: 1,
      numTodoTests: 1,
      testResults: [
        { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] },
        { status: 'failed', assertionResults: [] },
        { status: 'passed', assertionResults: [{ status: 'passed' }] },
      ],
    }
    expect(countVitest(report)).toEqual({ passed: 3, failed: 2, skipped: 2 })
  })
})
