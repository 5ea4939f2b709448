/** Child of event-loop.test.ts: trains one epoch and measures how late a 10 ms timer fires meanwhile. */
import { datasets, Model, snn } from '../../lib/index.js'

const PERIOD = 10
const samples = 640
const inputs = Uint8Array.from({ length: samples * 28 * 28 }, (_, i) => (i * 7919) % 256)
const targets = Int32Array.from({ length: samples }, (_, i) => i % 10)
const data = datasets.fromArrays({ inputs, shape: [samples, 1, 28, 28], targets })

const spec = snn({ input: [1, 28, 28], steps: 8 })
  .convBlock(16)
  .spikeNorm()
  .lif()
  .sewBlock(16, { stride: 2 })
  .classifier(10)
// One thread for the mathematics leaves the other core to the timer.
using model = await Model.create(spec, { device: 'cpu', threads: 1 })

const lateness: number[] = []
let due = performance.now() + PERIOD
const timer = setInterval(() => {
  const now = performance.now()
  lateness.push(now - due)
  due = now + PERIOD
}, PERIOD)

const stepTimes: number[] = []
let last = performance.now()
for await (const event of model.train(data, { batchSize: 128 })) {
  if (event.type === 'step') stepTimes.push(performance.now() - last)
  last = performance.now()
}
clearInterval(timer)
process.stdout.write(JSON.stringify({ lateness, stepTimes }))
