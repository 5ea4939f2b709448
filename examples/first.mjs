// A first network, from the installed package and nothing else: does a point lie inside the circle?
//
// A point (x, y) is a constant current for T steps; a hidden layer of spiking neurons answers with spikes.
//
// Run: node first.mjs
import { adamW, datasets, Model, snn } from 'spikingrx'

/** `count` points of a lattice that covers [-1, 1]^2: inputs `[count, 2]`, and whether each lies inside (1) or not (0). */
function points(count, shift) {
  const inputs = new Float32Array(2 * count)
  const targets = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const x = (2 * (i + shift)) / count - 1
    const y = 2 * ((i * 0.618034 + shift) % 1) - 1
    inputs.set([x, y], 2 * i)
    targets[i] = x * x + y * y < 0.5 ? 1 : 0
  }
  return datasets.fromArrays({ inputs, targets, shape: [count, 2], classes: ['outside', 'inside'] })
}

const spec = snn({ input: [2], steps: 8 })
  .linear(64)
  .lif({ beta: 0.5, theta: 0.5 })
  .linear(32)
  .lif({ beta: 0.5, theta: 0.5 })
  .classifier(2)
const model = await Model.create(spec, { seed: 7 })
const unseen = points(500, 0.37)
const training = { epochs: 10, batchSize: 64, optimizer: adamW({ lr: 0.01 }), validation: unseen }
for await (const event of model.train(points(1000, 0), training)) {
  if (event.type !== 'epoch') continue
  const accuracy = (100 * event.validation.accuracy).toFixed(1)
  console.log(`epoch ${event.epoch}: loss ${event.loss.toFixed(3)}, ${accuracy} % of unseen points right`)
}

await model.save('circle.safetensors')
const { classes } = await model.predict(Float32Array.of(0, 0.1, 0.9, -0.9))
console.log(`(0, 0.1) is ${unseen.classes[classes[0]]} the circle`)
model.dispose()
