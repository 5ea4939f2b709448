/** Receivers under one interface: slots in, soft bits out. */
import { ArgumentError } from '../errors.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkShape, choice } from './arguments.js'
import type { Channel } from './channel.js'
import { checkedModulation, type Modulation } from './constellation.js'
import {
  type ChannelEstimator,
  type LeastSquaresOptions,
  type LmmseOptions,
  leastSquares,
  lmmse,
  perfectKnowledge,
} from './estimation.js'
import type { ResourceGrid } from './grid.js'
import { linkTensor, linkTensors } from './operators.js'
import type { ReceivedSlots } from './slots.js'

/** Turns slots into soft bits. Free it with `dispose`, or `using`. */
export interface Receiver extends Disposable {
  /** For tables and pictures. */
  readonly name: string
  /** LLRs log P(b=1)/P(b=0), `[samples, bitsPerSymbol, symbols, subcarriers]`; only those on data elements mean something. */
  readonly llrs: (slots: ReceivedSlots) => Promise<Tensor>
  readonly dispose: () => void
}

export type Equaliser = 'lmmse' | 'zf'
export type DemapperMethod = 'app' | 'maxlog'

export interface DetectionOptions {
  /** With one antenna both are y / h; with several, LMMSE weighs the antennas by their error variances. Default 'lmmse'. */
  readonly equaliser?: Equaliser
  /** 'app': exact; 'maxlog': the most likely symbol of each side. Default 'app'. */
  readonly demapper?: DemapperMethod
}

/** Equalised symbols and the variance of their noise. */
export interface EqualisedSymbols {
  /** `[samples, symbols, subcarriers, 2]` */
  readonly symbols: Tensor
  /** `[samples, symbols, subcarriers]` */
  readonly noise: Tensor
}

/**
 * Equalises slots with an estimate: x = Σ h* y / Σ |h|² over the antennas, without bias.
 *
 * @throws ArgumentError `ERR_RANGE` for an unknown equaliser
 */
export async function equalise(
  slots: ReceivedSlots,
  { estimate, error }: { readonly estimate: Tensor; readonly error: Tensor },
  method: Equaliser = 'lmmse',
): Promise<EqualisedSymbols> {
  choice('equalise', 'equaliser', method, ['lmmse', 'zf'])
  const args = [slots.received, estimate, error, slots.noisePower, method]
  const [symbols, noise] = await linkTensors('equalise', args)
  return { symbols: symbols!, noise: noise! }
}

/**
 * LLRs log P(b=1)/P(b=0), `[samples, bitsPerSymbol, ...]`, of symbols `[samples, ..., 2]` with noise of variance `noise` `[samples, ...]`.
 *
 * @throws ArgumentError `ERR_RANGE` for an unknown modulation or method
 */
export async function demap(
  { symbols, noise }: EqualisedSymbols,
  modulation: Modulation,
  method: DemapperMethod = 'app',
): Promise<Tensor> {
  checkedModulation('demap', modulation)
  choice('demap', 'demapper', method, ['app', 'maxlog'])
  return linkTensor('demap', [symbols, noise, modulation, method])
}

/** Estimation, equalisation and demapping one after the other. The receiver takes over the estimator. */
export function classicalReceiver(
  grid: ResourceGrid,
  estimator: ChannelEstimator,
  options: DetectionOptions = {},
): Receiver {
  const owner = 'classicalReceiver'
  const equaliser = choice(owner, 'equaliser', options.equaliser ?? 'lmmse', ['lmmse', 'zf'])
  const method = choice(owner, 'demapper', options.demapper ?? 'app', ['app', 'maxlog'])
  return {
    name: estimator.name,
    llrs: (slots) =>
      scope(async () => {
        const equalised = await equalise(slots, await estimator.estimate(slots), equaliser)
        return demap(equalised, grid.modulation, method)
      }),
    dispose: () => estimator.dispose(),
    [Symbol.dispose]: () => estimator.dispose(),
  }
}

/** {@link leastSquares} with equalisation and demapping. */
export function leastSquaresReceiver(
  grid: ResourceGrid,
  options: LeastSquaresOptions & DetectionOptions = {},
): Receiver {
  return classicalReceiver(grid, leastSquares(grid, options), options)
}

/** {@link lmmse} with equalisation and demapping. */
export async function lmmseReceiver(
  grid: ResourceGrid,
  channel: Channel,
  options: LmmseOptions & DetectionOptions = {},
): Promise<Receiver> {
  return classicalReceiver(grid, await lmmse(grid, channel, options), options)
}

/** Perfect channel knowledge with equalisation and demapping: the bound. */
export function perfectReceiver(grid: ResourceGrid, options: DetectionOptions = {}): Receiver {
  return classicalReceiver(grid, perfectKnowledge(grid), options)
}

/**
 * What the receiver network reads, `[samples, 4, symbols, subcarriers]`: real and imaginary part of the received grid and of the pilots.
 *
 * @throws ArgumentError `ERR_ARGUMENT` when the grid has no pilots
 * @throws ShapeError when the slots are of another grid or of several antennas
 */
export async function networkInput(grid: ResourceGrid, slots: ReceivedSlots): Promise<Tensor> {
  const owner = 'networkInput'
  if (grid.pilotSymbols.length === 0) {
    throw new ArgumentError(`${owner}: the network reads the pilots, and the grid has none`, 'ERR_ARGUMENT')
  }
  const wanted = [null, 1, grid.symbols, grid.subcarriers, 2]
  checkShape(owner, 'received', slots.received, wanted, '[samples, antennas, symbols, subcarriers, 2]')
  return linkTensor('network_input', [slots.received, grid.pilots])
}
