/** The networks that `train` offers, and how each is trained unless options say otherwise. */
import { type NetworkInput, type NetworkSpec, snn } from '../model/spec.js'
import { adam, adamW, type OptimizerDescription } from '../train/optimizers.js'
import { constant, oneCycle, type ScheduleDescription } from '../train/schedules.js'

export interface Architecture {
  /** For sentences: "a spiking ...". */
  readonly title: string
  /** T, time steps a sample is presented for. */
  readonly steps: number
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly optimizer: (options: { readonly lr: number }) => OptimizerDescription
  readonly schedule: () => ScheduleDescription
  /** The layers, for images `[C, H, W]` in `classes` classes. */
  readonly build: (input: NetworkInput, classes: number) => NetworkSpec
}

export const MODELS = ['sew', 'conv', 'mlp'] as const
export type ModelName = (typeof MODELS)[number]

/** The image is a constant current (direct encoding), so the first convolution is computed once for all T steps. */
const fastNeurons = { decay: 0.5, threshold: 0.5 } as const

/** Activity grows over the few steps: evaluation normalises each with its own statistics, as training does. */
const byStep = { statistics: 'perStep' } as const

/** Neurons that keep 95 % of their membrane from step to step, driven by unscaled currents. */
const slowNeurons = { decay: 0.95, decayInput: false } as const

/** How both convolutional networks learn best. */
const fewStepTraining = {
  steps: 4,
  batchSize: 128,
  learningRate: 4e-3,
  optimizer: adamW,
  schedule: oneCycle,
} as const

export const architectures: Readonly<Record<ModelName, Architecture>> = {
  sew: {
    ...fewStepTraining,
    title: 'spiking SEW network, a convolution and two residual blocks',
    epochs: 5,
    build: (input, classes) =>
      snn(input)
        .convBlock(16, { stride: 2 })
        .spikeNorm(byStep)
        .lif(fastNeurons)
        .sewBlock(32, { stride: 2, ...fastNeurons, ...byStep })
        .sewBlock(64, { stride: 2, ...fastNeurons, ...byStep })
        .classifier(classes),
  },
  conv: {
    ...fewStepTraining,
    title: 'spiking network of two convolutions',
    epochs: 2,
    build: (input, classes) =>
      snn(input)
        .convBlock(16)
        .spikeNorm(byStep)
        .lif(fastNeurons)
        .averagePool(2)
        .convBlock(32)
        .spikeNorm(byStep)
        .lif(fastNeurons)
        .averagePool(2)
        .classifier(classes),
  },
  mlp: {
    title: 'spiking perceptron of 1000 hidden neurons',
    steps: 25,
    epochs: 1,
    batchSize: 128,
    learningRate: 1e-3,
    optimizer: adam,
    schedule: constant,
    build: (input, classes) =>
      snn(input).flatten().linear(1000).lif(slowNeurons).linear(classes).leakyReadout(slowNeurons),
  },
}
