// A training loop of one's own, with a loss of one's own, on the tensor layer.
//
// The network answers with firing rates r of ten output neurons. Its loss is a squared margin (Weston & Watkins 1999)
// plus a price on spikes:
//
//     mean over batch of  sum_k max(0, r_k - r_target + 0.4)^2  (k not the target)   +   0.1 mean(hidden spikes)
//
// Run: npx tsx examples/custom-loop.ts
import {
  adamW,
  add,
  argmax,
  clipGradientNorm,
  cosine,
  createOptimizer,
  datasets,
  div,
  eq,
  eye,
  indexSelect,
  learningRateAt,
  manualSeed,
  mean,
  mul,
  nn,
  noGrad,
  relu,
  scope,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  unsqueeze,
} from 'spikingrx'

const steps = 20
const epochs = 3
const batchSize = 64

manualSeed(7)
const digits = await datasets.mnist()
const training = digits.train.take(4000)
const test = digits.test.take(1000)

const encode = new nn.Linear(784, 128)
const hidden = new nn.Lif({ threshold: 0.5, surrogate: { kind: 'atan', alpha: 2 } })
const decide = new nn.Linear(128, 10)
const answer = new nn.Lif({ threshold: 0.3, learnable: ['threshold'] })
const layers = [encode, hidden, decide, answer]

const parameters = layers.flatMap((layer) => layer.parameters())
const optimizer = createOptimizer(adamW({ lr: 3e-3 }), parameters)
const schedule = cosine({ warmup: 20 })
const totalSteps = epochs * Math.ceil(training.length / batchSize)
const oneHot = eye(10)

/** Images `[B, 784]` to output rates `[B, 10]` and the mean activity of the hidden neurons. */
function run(images: Tensor): { rates: Tensor; activity: Tensor } {
  const current = unsqueeze(encode.forward(images), 1) // the same at each step: computed once
  const { spikes } = hidden.run(current, { steps })
  return { rates: mean(answer.forward(decide.forward(spikes)), { dim: 1 }), activity: mean(spikes) }
}

function marginLoss(rates: Tensor, classes: Tensor, activity: Tensor): Tensor {
  const target = indexSelect(oneHot, 0, classes)
  const own = sum(mul(rates, target), { dim: 1, keepdim: true })
  const margins = mul(square(relu(add(sub(rates, own), 0.4))), sub(1, target))
  return add(mean(sum(margins, { dim: 1 })), mul(activity, 0.1))
}

function images(inputs: Uint8Array | Float32Array | Float64Array): Tensor {
  return div(tensor(inputs, { shape: [inputs.length / 784, 784], dtype: 'float32' }), 255)
}

let step = 0
for (let epoch = 0; epoch < epochs; epoch++) {
  let total = 0
  let activity = 0
  for (const batch of training.batches({ batchSize, shuffle: true, seed: 7, epoch })) {
    optimizer.learningRate = learningRateAt(schedule, 3e-3, step++, totalSteps)
    // Every tensor of the step is freed when the scope ends.
    scope(() => {
      const result = run(images(batch.inputs))
      const loss = marginLoss(result.rates, tensor(batch.targets), result.activity)
      optimizer.zeroGrad()
      loss.backward()
      clipGradientNorm(parameters, 1)
      optimizer.step()
      total += loss.item() * batch.size
      activity += result.activity.item() * batch.size
    })
  }
  let correct = 0
  for (const batch of test.batches({ batchSize: 250 })) {
    correct += scope(() =>
      noGrad(() => sum(eq(argmax(run(images(batch.inputs)).rates, { dim: 1 }), tensor(batch.targets))).item()),
    )
  }
  const figures = [total, activity].map((value) => (value / training.length).toFixed(4))
  console.log(
    `epoch ${epoch + 1}: loss ${figures[0]}, hidden rate ${figures[1]}, accuracy ${(correct / 10).toFixed(1)} %`,
  )
}

for (const resource of [...layers, optimizer, oneHot]) resource.dispose()
