/** Channel estimators: how a receiver learns H from the pilots. */
import { ArgumentError } from '../errors.js'
import { tensor } from '../tensor/create.js'
import { op } from '../tensor/operator.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkShape, choice } from './arguments.js'
import { type Channel, type ChannelSettings, channelSettings, isDelayLine, lightSpeed } from './channel.js'
import type { ResourceGrid } from './grid.js'
import { linkResults, linkTensors } from './operators.js'
import { checkSlots, type ReceivedSlots } from './slots.js'

export interface ChannelEstimate {
  /** `[samples, antennas, symbols, subcarriers, 2]` */
  readonly estimate: Tensor
  /** Variance of its error, broadcast to `[samples, antennas, symbols, subcarriers]`. */
  readonly error: Tensor
}

/** Estimates H on every element. Free it with `dispose`, or `using`. */
export interface ChannelEstimator extends Disposable {
  /** For tables and pictures: "LS, linear". */
  readonly name: string
  readonly estimate: (slots: ReceivedSlots) => Promise<ChannelEstimate>
  readonly dispose: () => void
}

export interface LeastSquaresOptions {
  /** Between the pilots: a line along subcarriers, then along symbols, or the nearest pilot. Default 'linear'. */
  readonly interpolation?: 'linear' | 'nearest'
  /** Beyond the outermost pilots of `linear`: their value, or the line goes on. Default 'hold'. */
  readonly edges?: 'hold' | 'extrapolate'
}

/**
 * Least squares at the pilots, h = y / x, interpolated. Its error variance is the pilots' N0 / |x|², interpolated alike.
 *
 * @throws ArgumentError `ERR_ARGUMENT` when the grid has no pilots, `ERR_RANGE` for an unknown option
 */
export function leastSquares(grid: ResourceGrid, options: LeastSquaresOptions = {}): ChannelEstimator {
  const owner = 'leastSquares'
  const interpolation = choice(owner, 'interpolation', options.interpolation ?? 'linear', ['linear', 'nearest'])
  const edges = choice(owner, 'edges', options.edges ?? 'hold', ['hold', 'extrapolate'])
  needPilots(owner, grid)
  const weights = op('spikingrx::link_interpolation', [grid.pilots, interpolation, edges === 'extrapolate']) as Tensor
  return estimator(grid, `LS, ${interpolation}`, [weights], async ({ received, noisePower }) => {
    const [estimate, error] = await linkTensors('interpolate', [received, grid.pilots, weights, noisePower])
    return { estimate: estimate!, error: error! }
  })
}

export interface LmmseOptions {
  /**
   * 'joint': over time and frequency at once, the best linear estimate. 'separable': along subcarriers, then along symbols, as in NVIDIA
   * Sionna's order "f-t"; cheaper on a large grid. Default 'joint'.
   */
  readonly filter?: 'joint' | 'separable'
}

/**
 * Linear minimum mean square error from the channel's power-delay profile and Doppler spectrum. Where the channel draws its delay spread
 * or speed from a range, the filter is made for the middle of it.
 *
 * @throws ArgumentError `ERR_ARGUMENT` when the grid has no pilots, `ERR_RANGE`, `ERR_TYPE` for options that do not do
 */
export async function lmmse(
  grid: ResourceGrid,
  channel: Channel,
  options: LmmseOptions = {},
): Promise<ChannelEstimator> {
  const owner = 'lmmse'
  const filter = choice(owner, 'filter', options.filter ?? 'joint', ['joint', 'separable'])
  needPilots(owner, grid)
  const settings = channelSettings(owner, channel, grid)
  const name = filter === 'joint' ? 'LMMSE' : 'LMMSE, separable'
  const profile = isDelayLine(channel) ? channel.kind : 'flat'
  const prepared = await scope(async () => {
    const statistics = await channelStatistics(settings, profile)
    if (filter === 'joint') {
      return linkTensors('lmmse_basis', [...statistics, grid.times, grid.frequencies, grid.pilots])
    }
    const covariances = await linkTensors('covariances', [...statistics, grid.times, grid.frequencies])
    return covariances.map((one) => op('to.device', [one, grid.device, 'float32']) as Tensor)
  })
  const operator = filter === 'joint' ? 'estimate_lmmse' : 'estimate_lmmse_separable'
  return estimator(grid, name, prepared, async ({ received, noisePower }) => {
    const [estimate, error] = await linkTensors(operator, [received, grid.pilots, noisePower, ...prepared])
    return { estimate: estimate!, error: error! }
  })
}

/** The channel itself, for the bound that no receiver passes. */
export function perfectKnowledge(grid: ResourceGrid): ChannelEstimator {
  const none = tensor(new Float32Array(1), { shape: [1, 1, 1, 1], device: grid.device })
  return estimator(grid, 'perfect knowledge', [none], async ({ response }) => {
    const { symbols, subcarriers } = grid
    checkShape(
      'perfectKnowledge',
      'response',
      response,
      [null, null, symbols, subcarriers, 2],
      '[samples, antennas, symbols, subcarriers, 2]',
    )
    return { estimate: op('alias', [response]) as Tensor, error: op('alias', [none]) as Tensor }
  })
}

async function channelStatistics(settings: ChannelSettings, profile: string): Promise<readonly (Tensor | number)[]> {
  const [delays, powers, specular, cosine] = await linkResults('profile', [profile])
  const middle = ([low, high]: readonly [number, number]): number => (low + high) / 2
  const scaled = op('mul.Scalar', [delays as Tensor, middle(settings.delaySpread)]) as Tensor
  const doppler = (middle(settings.speed) * settings.carrier) / lightSpeed
  return [powers as Tensor, scaled, specular as number, cosine as number, profile === 'flat' ? 0 : doppler]
}

function needPilots(owner: string, grid: ResourceGrid): void {
  if (grid.pilotSymbols.length > 0) return
  const message = `${owner} estimates the channel from pilots, and the grid has none: make it with pilots, or use perfectKnowledge`
  throw new ArgumentError(message, 'ERR_ARGUMENT', { pilots: null })
}

function estimator(
  grid: ResourceGrid,
  name: string,
  owned: readonly Tensor[],
  run: (slots: ReceivedSlots) => Promise<ChannelEstimate>,
): ChannelEstimator {
  const dispose = (): void => {
    for (const one of owned) one.dispose()
  }
  return {
    name,
    async estimate(slots) {
      checkSlots(name, grid, slots)
      return run(slots)
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}
