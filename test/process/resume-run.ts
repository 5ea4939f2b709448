/** Child of resume.test.ts: trains in the given directory, resuming where it can, and tells its events line by line. */
import { join } from 'node:path'
import { adamW, cosine, Model, snn } from '../../lib/index.js'
import { stripes, timeless } from '../unit/train-data.js'

const [directory = '.'] = process.argv.slice(2)

const spec = snn({ input: [1, 6, 6], steps: 4 })
  .rateEncoder()
  .convBlock(4)
  .spikeNorm()
  .lif({ threshold: 0.5, learnable: ['decay', 'threshold'] })
  .dropout(0.2)
  .classifier(3)

using model = await Model.create(spec, { seed: 11, device: 'cpu', threads: 1 })
const run = model.train(stripes(60), {
  epochs: 4,
  batchSize: 6,
  optimizer: adamW({ lr: 0.01 }),
  schedule: cosine(),
  validation: stripes(30, 2),
  checkpoint: { directory, everySteps: 3, keep: 2 },
  resume: true,
})
for await (const event of run) {
  process.stdout.write(`${JSON.stringify(timeless(event))}\n`)
  // Time enough for the test to kill between steps as well as within them.
  if (event.type === 'step') await new Promise((resolve) => setTimeout(resolve, 5))
}
await model.save(join(directory, 'final.safetensors'))
