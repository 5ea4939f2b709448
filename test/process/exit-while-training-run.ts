/** Child of exit-while-training.test.ts: leaves by process.exit(7) or an exception while a training step is at work. */
import { datasets, Model, snn } from '../../lib/index.js'

const samples = 512
const data = datasets.fromArrays({
  inputs: new Uint8Array(samples * 784).fill(99),
  shape: [samples, 1, 28, 28],
  targets: new Int32Array(samples),
})
const spec = snn({ input: [1, 28, 28], steps: 8 })
  .convBlock(8)
  .spikeNorm()
  .lif({ theta: 0.1 })
  .classifier(10)
const model = await Model.create(spec, { device: 'cpu', threads: 1 })
for await (const event of model.train(data, { epochs: 100 })) {
  // Soon after this the next step begins.
  if (event.type === 'step' && event.step === 2) setTimeout(leave, Number(process.argv[3]))
}

function leave(): void {
  if (process.argv[2] === 'exit') process.exit(7)
  throw new Error('on purpose')
}
