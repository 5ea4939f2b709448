import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { slopeOf, soak } from '../../bench/soak.js'

const program = [
  '--import',
  import.meta.resolve('tsx'),
  fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url)),
]

// The short form of `npm run soak:serve`.
it('serves half a minute of requests, reloads and clients that leave, holds nothing more, and answers all at SIGTERM', {
  timeout: 180_000,
}, async () => {
  const report = await soak({ seconds: 30, rate: 60, reloadSeconds: 5, cancelled: 0.1, program })
  expect(report.failures).toEqual([])
  expect(report.failed).toBe(0)
  expect(report.answered).toBeGreaterThan(1000)
  expect(report.cancelled).toBeGreaterThan(0)
  expect(report.replaced).toBeGreaterThan(2)
  expect(report.reloaded).toBe(report.replaced)
  expect({ tensors: report.after.tensors, bytes: report.after.bytes }).toEqual({
    tensors: report.before.tensors,
    bytes: report.before.bytes,
  })
  expect(report.atEnd).toEqual({ accepted: 256, answered: 256, exit: 0 })
})

it('takes the slope of memory in MB a minute', () => {
  expect(slopeOf([0, 10, 20, 30].map((time) => [time, 100 + time / 20]))).toBeCloseTo(3, 10)
})
