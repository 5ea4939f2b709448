/** A user's first program: train 20 steps, save, load, predict. The text after the imports; `types` for TypeScript. */
export const names = 'adamW, datasets, Model, snn'

/** Points on a grid, of class 1 where their sum is positive; 4 batches an epoch. */
export const program = `
const count = 256
const inputs = new Float32Array(count * 2)
const targets = new Int32Array(count)
for (let i = 0; i < count; i++) {
  inputs[2 * i] = (i % 16) / 8 - 0.95
  inputs[2 * i + 1] = Math.floor(i / 16) / 8 - 0.9
  targets[i] = inputs[2 * i] + inputs[2 * i + 1] > 0 ? 1 : 0
}
async function main(file = 'points.safetensors') {
  const data = datasets.fromArrays({ inputs, targets, shape: [count, 2] })
  const spec = snn({ input: [2], steps: 4 }).linear(32).lif({ beta: 0.5, theta: 0.5 }).linear(2)
  const model = await Model.create(spec, { seed: 7 })
  const losses = []
  for await (const event of model.train(data, { epochs: 5, batchSize: 64, optimizer: adamW({ lr: 0.02 }) }))
    if (event.type === 'step') losses.push(event.loss)
  await model.save(file)
  const { accuracy } = await model.evaluate(data)
  const before = await model.predict(inputs)
  model.dispose()
  const loaded = await Model.load(file)
  const after = await loaded.predict(inputs)
  loaded.dispose()
  return { losses, accuracy, scores: Array.from(before.scores), again: Array.from(after.scores) }
}
`
export const report = 'main().then((result) => console.log(JSON.stringify(result)))\n'

/** What the program prints. */
export interface Trained {
  readonly losses: readonly number[]
  readonly accuracy: number
  readonly scores: readonly number[]
  readonly again: readonly number[]
}
