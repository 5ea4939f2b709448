// Child of overhead.ts: trains on the compiled package and prints what it took as one line of JSON.
import { adam, datasets, Model, snn } from 'spikingrx'

const steps = Number(process.argv[2])
const slow = { decay: 0.95, decayInput: false } as const

const { train } = await datasets.mnist()
const spec = snn({ input: [1, 28, 28], steps: 25 })
  .flatten()
  .linear(1000)
  .lif(slow)
  .linear(10)
  .leakyReadout(slow)
await using model = await Model.create(spec, { device: 'cpu', threads: 1, seed: 7 })
const run = model.train(train, {
  epochs: Math.ceil((steps * 128) / train.length),
  maxSteps: steps,
  batchSize: 128,
  optimizer: adam({ lr: 1e-3 }),
})

let loss = 0
let correct = 0
let samples = 0
const started = performance.now()
const before = process.cpuUsage()
for await (const event of run) {
  if (event.type !== 'step') continue
  const size = event.batch * 128 > train.length ? train.length % 128 : 128
  loss += event.loss * size
  correct += event.accuracy * size
  samples += size
}
const { user, system } = process.cpuUsage(before)
const wall = (performance.now() - started) / 1000
console.log(
  JSON.stringify({ wall, processor: (user + system) / 1e6, loss: loss / samples, accuracy: correct / samples }),
)
