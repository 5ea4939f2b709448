/** What is measured: plain data, from which inputs are made and peers are asked. */

/** How values of an input are drawn. */
export type Draw =
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  /** 1 with this probability, else 0. */
  | { readonly kind: 'spikes'; readonly rate: number }

export interface InputDescription {
  readonly shape: readonly number[]
  readonly draw: Draw
}

export type CaseKind = 'lif' | 'linear-lif' | 'sew' | 'mnist' | 'predict'

export const groups = ['lif', 'conv', 'linear', 'sew', 'mnist', 'predict', 'event', 'scaling'] as const
export type Group = (typeof groups)[number]

export interface Case {
  readonly id: string
  readonly group: Group
  readonly title: string
  readonly kind: CaseKind
  /** T; 1 where it is the network's own. */
  readonly steps: number
  readonly batch: number
  readonly threads: number
  /** Ids, in any order. */
  readonly peers: readonly string[]
  /** Drawn by the harness; networks bring their own (networks.ts). */
  readonly inputs: Readonly<Record<string, InputDescription>>
  /** Told to the peers as it is. */
  readonly options?: Readonly<Record<string, number | string>>
  /** Only in the full run. */
  readonly full?: boolean
}

/** Some spikes in a twentieth of all steps at decay 0.9, threshold 1 and an input scaled by 0.1. */
const CURRENT: Draw = { kind: 'uniform', low: -2, high: 4 }
const WEIGHTS: Draw = { kind: 'uniform', low: -1, high: 1 }

const everybody = [
  'spikingrx',
  'spikingrx-delayed',
  'jax',
  'compiled',
  'unbind',
  'spikingjelly-inductor',
  'spikingjelly',
  'spikingjelly-0.0.0.0.14',
  'norse',
  'snntorch',
]

/** Take up to minutes to compile for a shape. */
const compiling = ['compiled', 'spikingjelly-inductor']
const notCompiling = everybody.filter((id) => !compiling.includes(id))
const besideLif = ['copy', 'spikingrx-operators', 'spikingrx-saved']

export interface LifShape {
  readonly steps: number
  readonly batch: number
  readonly features: readonly number[]
}

export function lifCase(
  { steps, batch, features }: LifShape,
  { threads = 1, group = 'lif', peers = [...besideLif, ...everybody], full = false }: Partial<Case> = {},
): Case {
  const shape = [steps, batch, ...features]
  const beside = threads === 1 ? '' : `-${threads}-threads`
  return {
    id: `lif-${shape.join('x')}${beside}`,
    group,
    title: `LIF [${shape.join(', ')}]`,
    kind: 'lif',
    steps,
    batch,
    threads,
    peers,
    inputs: { current: { shape, draw: CURRENT }, weights: { shape, draw: WEIGHTS } },
    full,
  }
}

export function linearCase(features: number, full: boolean, among: readonly string[]): Case {
  const [steps, batch] = [25, 16]
  const shape = [steps, batch, features]
  const span = Math.sqrt(3 / features)
  return {
    id: `linear-${features}`,
    group: 'linear',
    title: `Linear ${features} + LIF [${shape.join(', ')}]`,
    kind: 'linear-lif',
    steps,
    batch,
    threads: 1,
    peers: among.filter((id) => id !== 'spikingjelly-0.0.0.0.14'),
    inputs: {
      current: { shape, draw: { kind: 'uniform', low: -2, high: 2 } },
      weights: { shape, draw: WEIGHTS },
      weight: { shape: [features, features], draw: { kind: 'uniform', low: -span, high: span } },
      bias: { shape: [features], draw: { kind: 'uniform', low: 0, high: 2 } },
    },
    full,
  }
}

export interface SewShape {
  readonly steps: number
  readonly batch: number
  readonly channels: number
  readonly side: number
}

export function sewCase(
  { steps, batch, channels, side }: SewShape = { steps: 8, batch: 8, channels: 32, side: 32 },
): Case {
  const shape = [steps, batch, channels, side, side]
  const span = Math.sqrt(3 / (0.2 * 9 * channels))
  const kernel: InputDescription = {
    shape: [channels, channels, 3, 3],
    draw: { kind: 'uniform', low: -span, high: span },
  }
  const bias: InputDescription = { shape: [channels], draw: { kind: 'uniform', low: -0.1, high: 0.1 } }
  return {
    id: 'sew',
    group: 'sew',
    title: `SEW block [${shape.join(', ')}]`,
    kind: 'sew',
    steps,
    batch,
    threads: 1,
    peers: ['spikingrx', 'spikingrx-delayed', 'spikingrx-convolutions', 'convolutions', 'spikingjelly', 'snntorch'],
    inputs: {
      current: { shape, draw: { kind: 'spikes', rate: 0.2 } },
      weights: { shape, draw: WEIGHTS },
      weight0: kernel,
      weight1: kernel,
      bias0: bias,
      bias1: bias,
    },
  }
}

/** Batches of 128 of one pass over MNIST. */
export function mnistCase(iterations: number, tests: number): Case {
  return {
    id: 'mnist',
    group: 'mnist',
    title: `MNIST, 784-1000-10, T 25, batch 128, ${iterations === 469 ? 'one epoch' : `${iterations} of 469 batches`}`,
    kind: 'mnist',
    steps: 25,
    batch: 128,
    threads: 1,
    peers: ['spikingrx', 'spikingrx-delayed', 'spikingjelly', 'snntorch'],
    inputs: {},
    options: { iterations, compared: 5, tests },
  }
}

export function predictCase(network: 'perceptron' | 'digits', batch: number): Case {
  const title = network === 'perceptron' ? 'trained 784-1000-10, T 25' : 'demo network (SEW), T 8'
  return {
    id: `predict-${network}-${batch}`,
    group: 'predict',
    title: `inference, ${title}, batch ${batch}`,
    kind: 'predict',
    steps: network === 'perceptron' ? 25 : 8,
    batch,
    threads: 1,
    peers: ['spikingrx', 'spikingrx-dense', 'spikingjelly'],
    inputs: {},
    options: { network },
  }
}

/** Few compile in the quick run: torch.compile for one shape. */
export function allCases(full: boolean): readonly Case[] {
  const among = full ? everybody : notCompiling
  const peers = [...besideLif, ...among]
  return [
    lifCase({ steps: 500, batch: 16, features: [256] }, { peers }),
    lifCase({ steps: 500, batch: 16, features: [1024] }, { peers: full ? peers : [...peers, 'compiled'] }),
    lifCase({ steps: 100, batch: 16, features: [4096] }, { peers, full: true }),
    lifCase({ steps: 8, batch: 8, features: [32, 32, 32] }, { peers, group: 'conv' }),
    linearCase(256, true, among),
    linearCase(1024, false, among),
    linearCase(4096, true, among),
    sewCase(),
    full ? mnistCase(469, 10000) : mnistCase(46, 1000),
    predictCase('perceptron', 1),
    predictCase('perceptron', 16),
    predictCase('digits', 1),
    predictCase('digits', 16),
  ].filter((one) => full || one.full !== true)
}

/** Time and memory against one size at a time. */
export interface Axis {
  readonly name: 'T' | 'batch' | 'width' | 'threads'
  readonly values: readonly number[]
  readonly caseOf: (value: number) => Case
}

export function axes(full: boolean): readonly Axis[] {
  const peers = full ? ['spikingrx', 'jax', 'unbind'] : ['spikingrx']
  const at = (shape: LifShape, threads = 1): Case => lifCase(shape, { threads, group: 'scaling', peers })
  return [
    {
      name: 'T',
      values: full ? [250, 500, 1000, 2000, 3000, 4000] : [500, 1000, 2000, 4000],
      caseOf: (steps) => at({ steps, batch: 16, features: [256] }),
    },
    {
      name: 'batch',
      values: full ? [4, 8, 16, 32, 64] : [8, 16, 32],
      caseOf: (batch) => at({ steps: 250, batch, features: [512] }),
    },
    {
      name: 'width',
      values: full ? [256, 512, 1024, 2048, 4096] : [512, 1024, 2048],
      caseOf: (width) => at({ steps: 250, batch: 16, features: [width] }),
    },
    { name: 'threads', values: [1, 2], caseOf: (threads) => at({ steps: 250, batch: 16, features: [2048] }, threads) },
  ]
}
