/**
 * Learning-rate schedules as plain descriptions; the native core computes them. `base` is the optimiser's learning rate,
 * s the training step from 0, N the steps of the run.
 */
import { ArgumentError } from '../errors.js'
import { argumentReader } from '../model/arguments.js'
import { describe, type OptionReader } from '../model/options.js'
import { native } from '../runtime/addon.js'

interface Warmup {
  /** Steps over which the rate first rises in a straight line. */
  readonly warmupSteps: number
  /** Where it rises from, as a share of `base`. */
  readonly warmupFactor: number
}

/** `base` at every step. */
export interface ConstantSchedule extends Warmup {
  readonly kind: 'constant'
}

/** `base · factor^⌊s / everySteps⌋` */
export interface StepSchedule extends Warmup {
  readonly kind: 'step'
  readonly everySteps: number
  readonly factor: number
}

/** `minimum + (base − minimum)(1 + cos(π s / N)) / 2` */
export interface CosineSchedule extends Warmup {
  readonly kind: 'cosine'
  readonly minimum: number
}

/** Cosine up from `base / divide` to `base` over `warmFraction` of the run, then down to `base / divide / finalDivide`. */
export interface OneCycleSchedule extends Warmup {
  readonly kind: 'oneCycle'
  readonly warmFraction: number
  readonly divide: number
  readonly finalDivide: number
}

export type ScheduleDescription = ConstantSchedule | StepSchedule | CosineSchedule | OneCycleSchedule

export interface WarmupOptions {
  /** Steps over which the rate first rises in a straight line. Default 0. */
  readonly warmup?: number
  /** Another name for `warmup`. */
  readonly warmupSteps?: number
  /** Where it rises from, as a share of `base` in [0, 1]. Default 0. */
  readonly warmupFactor?: number
}

/** @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable */
export function constant(options: WarmupOptions = {}): ConstantSchedule {
  const read = argumentReader('constant', options)
  const schedule: ConstantSchedule = { kind: 'constant', ...readWarmup(read) }
  read.end()
  return schedule
}

/**
 * @param options `everySteps`: training steps between two drops; `factor`: what is left at each, default 0.1
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 */
export function stepDecay(
  options: WarmupOptions & { readonly everySteps: number; readonly factor?: number },
): StepSchedule {
  const read = argumentReader('stepDecay', options)
  const schedule: StepSchedule = {
    kind: 'step',
    everySteps: read.integer('everySteps', { min: 1 }),
    factor: read.number('factor', { above: 0, max: 1 }, 0.1),
    ...readWarmup(read),
  }
  read.end()
  return schedule
}

/**
 * @param options `minimum`: the rate at the end, default 0
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 */
export function cosine(options: WarmupOptions & { readonly minimum?: number } = {}): CosineSchedule {
  const read = argumentReader('cosine', options)
  const schedule: CosineSchedule = {
    kind: 'cosine',
    minimum: read.number('minimum', { min: 0 }, 0),
    ...readWarmup(read),
  }
  read.end()
  return schedule
}

/**
 * @param options `warmFraction` in (0, 1), default 0.3; `divide` of at least 1, default 25; `finalDivide`, default 1e4
 * @throws ArgumentError `ERR_RANGE`, `ERR_TYPE` for an option that is not usable
 */
export function oneCycle(
  options: WarmupOptions & {
    readonly warmFraction?: number
    readonly divide?: number
    readonly finalDivide?: number
  } = {},
): OneCycleSchedule {
  const read = argumentReader('oneCycle', options)
  const schedule: OneCycleSchedule = {
    kind: 'oneCycle',
    warmFraction: read.number('warmFraction', { above: 0, below: 1 }, 0.3),
    divide: read.number('divide', { min: 1 }, 25),
    finalDivide: read.number('finalDivide', { min: 1 }, 1e4),
    ...readWarmup(read),
  }
  read.end()
  return schedule
}

/**
 * The schedule to use where the caller gave none (constant); checks one made by hand.
 *
 * @throws ArgumentError `ERR_TYPE`, `ERR_RANGE`
 */
export function resolveSchedule(schedule: ScheduleDescription | undefined): ScheduleDescription {
  if (schedule === undefined) return constant()
  const { kind, ...options } = schedule ?? {}
  switch (kind) {
    case 'constant':
      return constant(options)
    case 'step':
      return stepDecay(options as StepSchedule)
    case 'cosine':
      return cosine(options)
    case 'oneCycle':
      return oneCycle(options)
    default:
      throw new ArgumentError(
        `schedule must be made by constant(), stepDecay(), cosine() or oneCycle(), got kind ${describe(kind)}`,
        'ERR_RANGE',
      )
  }
}

/**
 * The learning rate of one training step, as `train` uses it: for custom loops and for plots.
 *
 * @param base the optimiser's learning rate
 * @param step from 0
 * @param totalSteps length of the run
 */
export function learningRateAt(schedule: ScheduleDescription, base: number, step: number, totalSteps: number): number {
  return native().learningRate({ ...resolveSchedule(schedule) }, base, step, totalSteps)
}

function readWarmup(read: OptionReader): Warmup {
  if (read.has('warmup') && read.has('warmupSteps')) {
    read.fail('takes warmup or warmupSteps, which mean the same, not both', 'ERR_RANGE')
  }
  const name = read.has('warmup') ? 'warmup' : 'warmupSteps'
  read.raw('warmup')
  read.raw('warmupSteps')
  return {
    warmupSteps: read.integer(name, { min: 0 }, 0),
    warmupFactor: read.number('warmupFactor', { min: 0, max: 1 }, 0),
  }
}
