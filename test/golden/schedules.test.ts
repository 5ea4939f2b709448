import { describe, expect, it } from 'vitest'
import type { NativeSpec } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'
import { readFamily } from './vectors.js'

type ScheduleCase = NativeSpec & { readonly base: number; readonly totalSteps: number }

const cases = await readFamily<ScheduleCase>('schedules')

describe("learning rates are those of torch's schedulers at every step", () => {
  it.each(cases)('$name', ({ options: { base, totalSteps, ...schedule }, values }) => {
    const rates = values('rates').data as Float64Array
    expect(rates).toHaveLength(totalSteps)
    // torch multiplies from step to step, so its last bits drift: 1e-13 of the base rate.
    for (const [step, rate] of rates.entries()) {
      const difference = native().learningRate(schedule as NativeSpec, base, step, totalSteps) - rate
      expect(Math.abs(difference) / base, `step ${step}, torch's rate is ${rate}`).toBeLessThan(1e-13)
    }
  })
})
