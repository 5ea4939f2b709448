import { Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { TalliedHistogram } from '../../lib/serve/tallied-histogram.js'

describe('a tallied histogram', () => {
  const settings = { name: 'seconds', help: 'Time.', labelNames: ['model', 'version'] as const, buckets: [0.5, 1, 2.5] }
  const values = [0.1, 0.5, 0.50001, 1, 2.5, 2.6, 1e9, 0, -1]

  it("is written as prom-client's own histogram of the same observations", async () => {
    const [own, theirs] = [new Registry(), new Registry()]
    const tallied = new TalliedHistogram({ ...settings, registers: [own] })
    const expected = new Histogram({ ...settings, registers: [theirs] })
    for (const [model, version] of [
      ['digits', '1'],
      ['a "quoted" \\ name', '2'],
    ] as const) {
      const tally = tallied.tally({ model, version })
      const child = expected.labels(model, version)
      for (const value of values) {
        tally.observe(value)
        child.observe(value)
      }
    }
    expect(await own.metrics()).toBe(await theirs.metrics())
    expect((await own.getMetricsAsJSON())[0]).toMatchObject({ name: 'seconds', aggregator: 'sum' })
  })

  it('writes a bucket for what none of the observations reached', async () => {
    const registry = new Registry()
    new TalliedHistogram({ ...settings, registers: [registry] }).tally({ model: 'm', version: '1' })
    expect(await registry.metrics()).toContain('seconds_bucket{le="+Inf",model="m",version="1"} 0')
  })
})
