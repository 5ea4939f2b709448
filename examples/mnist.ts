// MNIST in twenty lines: describe a network, train it, look at it, save it.
//
// Run: npx tsx examples/mnist.ts [training images, 60000 by default]
import { adamW, datasets, Model, oneCycle, snn } from 'spikingrx'

const digits = await datasets.mnist()
const spec = snn({ input: [1, 28, 28], steps: 4, labels: digits.train.classes ?? [] })
  .convBlock(16)
  .spikeNorm()
  .lif({ beta: 0.5, theta: 0.5 })
  .averagePool(2)
  .sewBlock(32, { stride: 2, beta: 0.5, theta: 0.5 })
  .classifier(10)

await using model = await Model.create(spec, { seed: 7 })
console.log(model.summary())
for await (const event of model.train(digits.train.take(Number(process.argv[2] ?? 60_000)), {
  batchSize: 128,
  optimizer: adamW({ lr: 5e-3 }),
  schedule: oneCycle(),
  validation: digits.test,
})) {
  if (event.type === 'step' && event.step % 20 === 0) console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}`)
  if (event.type === 'epoch') console.log(`accuracy on the test images: ${event.validation?.accuracy}`)
}
const { labels } = await model.predict(digits.test.sample(0).input)
console.log(`The first test image shows a ${digits.test.sample(0).target}; the network says ${labels?.[0]}.`)
await model.save('digits.safetensors')
