import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('event-loop-run.ts', import.meta.url))

interface Measured {
  /** Milliseconds each 10 ms tick came late. */
  readonly lateness: number[]
  /** Milliseconds each training step took. */
  readonly stepTimes: number[]
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN
}

it('a 10 ms timer fires on time while a training epoch runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), program])
  const { lateness, stepTimes } = JSON.parse(stdout) as Measured
  const total = stepTimes.reduce((sum, time) => sum + time, 0)
  expect(stepTimes).toHaveLength(5)
  // Each step is much longer than the period: were it to run on this thread, hardly any tick would come in time.
  expect(quantile(stepTimes, 0.5)).toBeGreaterThan(50)
  expect(lateness.length).toBeGreaterThan(total / 10 / 3)
  expect(quantile(lateness, 0.5)).toBeLessThan(10)
  expect(quantile(lateness, 0.95)).toBeLessThan(30)
})
