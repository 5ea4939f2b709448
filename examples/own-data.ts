// Own data from typed arrays: which of two interleaved spirals does a point lie on?
//
// A point (x, y) comes as a train of spikes, as from a population of sensory neurons: each neuron prefers one value of
// one coordinate and fires at each of T steps with probability
//
//     p = exp(-(coordinate - preferred)^2 / (2 width^2))
//
// so that the network never sees a number, only when who fired: sequences [N, T, D] of zeros and ones.
//
// Run: npx tsx examples/own-data.ts
import { adamW, cosine, datasets, Model, snn } from 'spikingrx'

const steps = 20 // T
const neuronsPerAxis = 16
const width = 0.12
const features = 2 * neuronsPerAxis // D

/** Uniform random numbers in [0, 1) (mulberry32): the example gives the same figures each time. */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `count` points: spikes `[count, T, D]` and the spiral each lies on. */
function spirals(count: number, seed: number): { inputs: Float32Array; targets: Int32Array } {
  const random = uniform(seed)
  const inputs = new Float32Array(count * steps * features)
  const targets = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const spiral = i % 2
    const along = 0.1 + 0.9 * random()
    const angle = 3.5 * along * Math.PI + spiral * Math.PI
    const point = [along * Math.cos(angle), along * Math.sin(angle)].map((value) => value + 0.03 * (random() - 0.5))
    const rates = point.flatMap((value) =>
      Array.from({ length: neuronsPerAxis }, (_, n) => {
        const preferred = -1 + (2 * n) / (neuronsPerAxis - 1)
        return Math.exp(-((value - preferred) ** 2) / (2 * width ** 2))
      }),
    )
    for (let t = 0; t < steps; t++) {
      for (const [d, rate] of rates.entries()) inputs[(i * steps + t) * features + d] = random() < rate ? 1 : 0
    }
    targets[i] = spiral
  }
  return { inputs, targets }
}

function dataset(count: number, seed: number) {
  return datasets.fromArrays({ ...spirals(count, seed), shape: [count, steps, features], classes: ['red', 'blue'] })
}

const training = dataset(2000, 1)
const unseen = dataset(500, 2)

const spec = snn({ input: [features], steps })
  .linear(128)
  .lif({ beta: 0.8, theta: 0.5, surrogate: { kind: 'atan', alpha: 2 } })
  .linear(64)
  .lif({ beta: 0.8, theta: 0.5, surrogate: { kind: 'atan', alpha: 2 } })
  .classifier(2)

await using model = await Model.create(spec, { seed: 7 })
console.log(model.summary())

const options = { epochs: 6, batchSize: 50, optimizer: adamW({ lr: 5e-3 }), schedule: cosine(), validation: unseen }
for await (const event of model.train(training, options)) {
  if (event.type !== 'epoch') continue
  const { epoch, loss, accuracy, validation } = event
  const percent = (share: number | undefined) => `${(100 * (share ?? 0)).toFixed(1)} %`
  console.log(
    `epoch ${epoch}: loss ${loss.toFixed(3)}, accuracy ${percent(accuracy)}, unseen points ${percent(validation?.accuracy)}`,
  )
}

// One point of each spiral, asked for by its spikes.
for (const { input, target } of [unseen.sample(0), unseen.sample(1)]) {
  const { classes } = await model.predict({ data: input, shape: [1, steps, features] })
  console.log(`a point of the ${unseen.classes?.[target as number]} spiral: ${unseen.classes?.[classes[0] ?? 0]}`)
}
