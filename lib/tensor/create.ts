/** Tensors of given values: from data, constant, ranges. All are float32 on the CPU unless the options say otherwise. */
import { ArgumentError } from '../errors.js'
import type { Dtype } from '../native.js'
import { native } from '../runtime/addon.js'
import { resolveDevice } from '../runtime/device.js'
import { checkedDtype } from './dtype.js'
import { checkShape, literal, type TensorData } from './literal.js'
import { type NamedArguments, tensorOp } from './operator.js'
import { Tensor, type TensorOptions } from './tensor.js'

export interface TensorLiteralOptions extends TensorOptions {
  /** Shape of the flat data. Default: that of the nested arrays. */
  readonly shape?: readonly number[]
}

/**
 * A tensor of the given values, copied.
 *
 *     tensor([[1, 2], [3, 4]])                                   // float32 [2, 2]
 *     tensor(new Uint8Array(28 * 28), { shape: [28, 28] })       // uint8
 *     tensor(0.5, { dtype: 'float64', requiresGrad: true })      // no axes
 *
 * Without `dtype`: numbers are float32, booleans bool, bigints int64, a typed array is its own type.
 *
 * @throws ShapeError when rows differ or the shape does not fit the data
 * @throws ArgumentError when an element does not fit the dtype
 */
export function tensor(data: TensorData, options: TensorLiteralOptions = {}): Tensor {
  const { data: flat, shape, dtype } = literal(data, options.dtype, options.shape)
  let made = new Tensor(native().tensorFrom(flat, shape, dtype))
  const device = resolveDevice(options.device ?? 'cpu').device
  if (device !== made.device) {
    const moved = tensorOp('to.dtype_layout', [made], { device })
    made.dispose()
    made = moved
  }
  return options.requiresGrad ? made.requireGrad() : made
}

/** All 0, of `shape`. */
export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  checkShape(shape, 'zeros')
  return made('zeros', [shape], options)
}

/** All 1, of `shape`. */
export function ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
  checkShape(shape, 'ones')
  return made('ones', [shape], options)
}

/** All `value`, of `shape`. */
export function full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
  checkShape(shape, 'full')
  return made('full', [shape, value], options)
}

/** All 0, like `x` in shape, dtype and device. */
export function zerosLike(x: Tensor): Tensor {
  return tensorOp('zeros_like', [x])
}

/** All 1, like `x` in shape, dtype and device. */
export function onesLike(x: Tensor): Tensor {
  return tensorOp('ones_like', [x])
}

/**
 * `start`, `start + step`, ... below `end`: shape `[ceil((end - start) / step)]`.
 *
 * @throws ArgumentError `ERR_RANGE` when `step` is 0 or leads away from `end`
 */
export function arange(start: number, end: number, step = 1, options: TensorOptions = {}): Tensor {
  if (!(step !== 0 && Number.isFinite(step) && (end - start) * step >= 0)) {
    throw new ArgumentError(`arange wants a step that leads from ${start} towards ${end}, got ${step}`, 'ERR_RANGE', {
      start,
      end,
      step,
    })
  }
  return made('arange.start_step', [start, end, step], options)
}

/** The identity matrix `[size, size]`. */
export function eye(size: number, options: TensorOptions = {}): Tensor {
  checkShape([size], 'eye')
  return made('eye', [size], options)
}

/** Calls a creation operator with dtype and device, and makes the result a leaf that records, where asked. */
export function made(
  name: string,
  args: Parameters<typeof tensorOp>[1],
  options: TensorOptions,
  defaultDtype: Dtype = 'float32',
): Tensor {
  const named: NamedArguments = {
    dtype: checkedDtype(options.dtype ?? defaultDtype),
    device: resolveDevice(options.device ?? 'cpu').device,
  }
  const result = tensorOp(name, args, named)
  return options.requiresGrad ? result.requireGrad() : result
}
