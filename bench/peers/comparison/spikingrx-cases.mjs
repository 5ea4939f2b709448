// What the spikingrx peer runs: by kind of case and variant, a function of the case and its inputs ({ values, shape }, time
// first) that gives { run, outputs, evaluate? }. Ours is batch first: inputs are reordered here, before anything is measured.
import { adam, datasets, full, linear, Model, nn, noGrad, op, scope, snn, tensor, transpose, zeros } from 'spikingrx'

const DECAY = 0.9
const forms = {
  '': { decay: DECAY, threshold: 1 },
  saved: { decay: DECAY, threshold: 1, membranes: 'save' },
  delayed: {
    decay: DECAY,
    threshold: 1,
    decayInput: false,
    resetDelay: true,
    detachReset: true,
    surrogate: { kind: 'fastSigmoid', slope: 25 },
  },
}

/** [T, B, ...] as [B, T, ...] */
function batchFirst({ values, shape: [steps, batch, ...rest] }, scale = 1) {
  const row = rest.reduce((product, size) => product * size, 1)
  const result = new Float32Array(values.length)
  for (let t = 0; t < steps; t++)
    for (let b = 0; b < batch; b++)
      result.set(values.subarray((t * batch + b) * row, (t * batch + b + 1) * row), (b * steps + t) * row)
  if (scale !== 1) for (let i = 0; i < result.length; i++) result[i] *= scale
  return tensor(result, { shape: [batch, steps, ...rest] })
}

const given = ({ values, shape }, scale = 1) => tensor(scale === 1 ? values : values.map((x) => x * scale), { shape })
const timeFirst = (x) => transpose(x, 0, 1)
/** A leaf over the same memory, so that no gradient is left from the run before. */
const leafOf = (x) => x.detach().requireGrad()
/** Currents are made for neurons that scale them by 1 - decay; those that do not get scaled ones. */
const scaleOf = (form) => (form.decayInput === false ? Math.fround(1 - DECAY) : 1)

/** `forward(leaves)` gives spikes whose gradient is `weights`; what is compared: they and the gradient of the first leaf. */
function differentiated(leaves, forward, weights) {
  const once = () => {
    const own = leaves.map(leafOf)
    const spikes = forward(...own)
    spikes.backward({ gradient: weights })
    return { spikes, gradients: own.map((leaf) => leaf.grad) }
  }
  return {
    run: () => scope(() => void once()),
    outputs: () =>
      scope(() => {
        const { spikes, gradients } = once()
        return { spikes: timeFirst(spikes.detach()), gradient: timeFirst(gradients[0]) }
      }),
  }
}

function lif(form) {
  return (_, { current, weights }) => {
    warmUp(form)
    return differentiated([batchFirst(current, scaleOf(form))], (x) => nn.lif(x, form).spikes, batchFirst(weights))
  }
}

/** Loads code and starts threads without taking memory that counts. */
function warmUp(form) {
  for (let k = 0; k < 50; k++) {
    scope(() => {
      const x = zeros([2, 8, 16], { requiresGrad: true })
      nn.lif(x, form).spikes.backward({ gradient: zeros([2, 8, 16]) })
    })
  }
}

/** The operators that nn.lif is made of, without autograd: forward keeps a state a chunk, backward recomputes the membranes. */
function lifOperators(_, { current, weights }) {
  warmUp(forms[''])
  const [x, gradient] = [batchFirst(current), batchFirst(weights)]
  const [decay, threshold] = [tensor(DECAY, { dtype: 'float64' }), tensor(1, { dtype: 'float64' })]
  const [subtract, triangular, width, keepStates] = [0, 0, 1, 1]
  const once = () => {
    const settings = [decay, threshold, null, 0, true, subtract, false, false]
    const [spikes, , , states] = op('spikingrx::lif_forward', [x, ...settings, keepStates])
    const neuron = [...settings, triangular, width, false, states]
    const [gradientOfCurrent] = op('spikingrx::lif_backward', [gradient, null, null, x, ...neuron])
    return { spikes: timeFirst(spikes), gradient: timeFirst(gradientOfCurrent) }
  }
  return { run: () => scope(() => void once()), outputs: () => scope(once) }
}

function linearLif(form) {
  return (_, { current, weights, weight, bias }) => {
    const scale = scaleOf(form)
    const [x, gradient] = [batchFirst(current), batchFirst(weights)]
    const parameters = [given(weight, scale), given(bias, scale)]
    return differentiated(
      [x, ...parameters],
      (x, weight, bias) => nn.lif(linear(x, weight, bias), form).spikes,
      gradient,
    )
  }
}

/** Two stages of convolution, norm over the batch of each step, LIF (decay 0.5, threshold 0.5), and the input added. */
function sewBlock(form) {
  const neuron = { ...form, decay: 0.5, threshold: 0.5 }
  return (_, inputs) => {
    const channels = inputs.current.shape[2]
    const running = () => ({ runningMean: zeros([channels]), runningVariance: full([channels], 1) })
    const [x, weights] = [batchFirst(inputs.current), batchFirst(inputs.weights)]
    const parameters = [0, 1].flatMap((k) => [
      given(inputs[`weight${k}`]),
      given(inputs[`bias${k}`]),
      full([channels], 1),
      zeros([channels]),
    ])
    const block = (statistics, training) =>
      differentiated(
        [x, ...parameters],
        (x, ...p) => {
          const stages = statistics.map((running, k) => ({
            weight: p[4 * k],
            bias: p[4 * k + 1],
            norm: { gamma: p[4 * k + 2], beta: p[4 * k + 3], ...running },
          }))
          return nn.sewBlock(x, { stages }, { ...neuron, training }).output
        },
        weights,
      )
    const { run } = block([running(), running()], true)
    return { run, outputs: block([running(), running()], false).outputs }
  }
}

function twoConvolutions(_, inputs) {
  const [x, weights] = [batchFirst(inputs.current), batchFirst(inputs.weights)]
  const parameters = [0, 1].flatMap((k) => [given(inputs[`weight${k}`]), given(inputs[`bias${k}`])])
  const { run, outputs } = differentiated(
    [x, ...parameters],
    (x, weight0, bias0, weight1, bias1) =>
      nn.convBlock(nn.convBlock(x, weight0, { bias: bias0 }), weight1, { bias: bias1 }),
    weights,
  )
  return {
    run,
    outputs: () => {
      const { spikes: output, gradient } = outputs()
      return { output, gradient }
    },
  }
}

const slow = { decay: 0.95, decayInput: false }

function perceptron(form) {
  return snn({ input: [1, 28, 28], steps: 25 })
    .flatten()
    .linear(1000)
    .lif({ ...form, ...slow })
    .linear(10)
    .leakyReadout(slow)
}

/** One pass over the images in the order given. */
function mnist(form) {
  return async ({ batch, iterations, compared }, inputs) => {
    const set = (images, labels) =>
      datasets.fromArrays({ inputs: images.values, shape: [labels.values.length, 1, 28, 28], targets: labels.values })
    const [training, test] = [set(inputs.images, inputs.labels), set(inputs.testImages, inputs.testLabels)]
    let model
    let losses = []
    const train = async (steps) => {
      model?.dispose()
      model = await Model.create(perceptron(form), { device: 'cpu', seed: 0 })
      setWeights(model, inputs)
      losses = []
      const options = {
        epochs: 1,
        maxSteps: steps,
        batchSize: batch,
        shuffle: false,
        optimizer: adam({ lr: 1e-3 }),
        measureRates: false,
      }
      for await (const event of model.train(training, options)) if (event.type === 'step') losses.push(event.loss)
    }
    return {
      run: () => train(iterations),
      outputs: async () => {
        await train(compared)
        return { losses: { values: Float32Array.from(losses), shape: [losses.length] } }
      },
      evaluate: async () => ({
        loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
        accuracy: (await model.evaluate(test)).accuracy,
      }),
    }
  }
}

const MNIST_TENSORS = {
  'layers.1.weight': 'hiddenWeight',
  'layers.1.bias': 'hiddenBias',
  'layers.3.weight': 'readoutWeight',
  'layers.3.bias': 'readoutBias',
}

function setWeights(model, inputs) {
  for (const { name, tensor: target } of model.tensors()) {
    scope(() => noGrad(() => void op('copy_', [target, given(inputs[MNIST_TENSORS[name]])])))
  }
}

/** Whole inference of images that come as bytes: `predict`. */
function predict(options = {}) {
  return async ({ batch, model: file }, { images }) => {
    const model = await Model.load(file, { device: 'cpu' })
    const size = 784 * batch
    const batches = Array.from({ length: images.shape[0] / batch }, (_, k) =>
      images.values.subarray(k * size, (k + 1) * size),
    )
    let place = -1
    return {
      run: async () => {
        place = (place + 1) % batches.length
        await model.predict(batches[place], { batchSize: batch, ...options })
      },
      outputs: async () => {
        const { scores, shape } = await model.predict(images.values, { batchSize: batch, ...options })
        return { scores: { values: scores, shape } }
      },
    }
  }
}

export const cases = {
  lif: { '': lif(forms['']), saved: lif(forms.saved), delayed: lif(forms.delayed), operators: lifOperators },
  'linear-lif': { '': linearLif(forms['']), delayed: linearLif(forms.delayed) },
  sew: { '': sewBlock(forms['']), delayed: sewBlock(forms.delayed), convolutions: twoConvolutions },
  mnist: { '': mnist(forms['']), delayed: mnist(forms.delayed) },
  predict: { '': predict(), dense: predict({ engine: 'dense' }) },
}
