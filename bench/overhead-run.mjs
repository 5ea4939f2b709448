// Child of overhead.ts: trains on the compiled package and prints what it took as one line of JSON. JavaScript, so that no
// compiler runs in the process that is measured.
import { readdirSync, readFileSync } from 'node:fs'
import { adam, datasets, Model, snn } from 'spikingrx'

const steps = Number(process.argv[2])
const slow = { decay: 0.95, decayInput: false }

const { train } = await datasets.mnist()
const spec = snn({ input: [1, 28, 28], steps: 25 })
  .flatten()
  .linear(1000)
  .lif(slow)
  .linear(10)
  .leakyReadout(slow)
const model = await Model.create(spec, { device: 'cpu', threads: 1, seed: 7 })
const run = model.train(train, {
  epochs: Math.ceil((steps * 128) / train.length),
  maxSteps: steps,
  batchSize: 128,
  optimizer: adam({ lr: 1e-3 }),
})

/** Processor seconds of each thread of this process (Linux). */
function threadSeconds() {
  const used = (thread) => Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9
  return new Map(readdirSync('/proc/self/task').map((thread) => [thread, used(thread)]))
}

let loss = 0
let correct = 0
let samples = 0
const threadsBefore = threadSeconds()
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
// The executor thread does nothing but steps, and more than any other thread.
const inSteps = Math.max(
  ...Array.from(threadSeconds(), ([thread, seconds]) => seconds - (threadsBefore.get(thread) ?? 0)),
)
const processor = (user + system) / 1e6
console.log(JSON.stringify({ wall, processor, inSteps, loss: loss / samples, accuracy: correct / samples }))
model.dispose()
