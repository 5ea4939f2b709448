import { ArgumentError, DeviceError } from '../errors.js'
import { runtime } from './addon.js'

/** Where tensors live: 'auto' takes the first GPU where there is a usable one, else the CPU. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}` | 'auto'

export interface ResolvedDevice {
  /** As libtorch names it: 'cpu' or 'cuda:0'. */
  readonly device: string
  /** Why this one, for a person: "no GPU: the libtorch in use is a CPU build". */
  readonly reason: string
}

/** GPUs that this process can compute on; `problem` says what is missing when there is none. */
export interface UsableGpus {
  readonly count: number
  readonly names: readonly string[]
  readonly problem: string | null
}

function usableGpus(): UsableGpus {
  const { native, cudaProblem } = runtime()
  if (cudaProblem !== null) return { count: 0, names: [], problem: cudaProblem }
  const { cuda, names } = native.devices()
  return {
    count: cuda,
    names,
    problem:
      cuda === 0 ? "libtorch's CUDA build sees no GPU (driver missing, too old, or CUDA_VISIBLE_DEVICES empty)" : null,
  }
}

/**
 * The device to compute on. 'cpu' loads nothing.
 *
 * @throws ArgumentError `ERR_RANGE` when the request is not 'cpu', 'cuda', 'cuda:N' or 'auto'
 * @throws DeviceError `ERR_DEVICE` when a GPU is asked for and not there; the message says what is missing
 */
export function resolveDevice(request: string, gpus: () => UsableGpus = usableGpus): ResolvedDevice {
  if (request === 'cpu') return { device: 'cpu', reason: 'asked for' }
  const wanted = /^cuda(?::(\d{1,3}))?$/.exec(request)
  if (request !== 'auto' && !wanted)
    throw new ArgumentError(`device must be 'cpu', 'cuda', 'cuda:N' or 'auto', got '${request}'`, 'ERR_RANGE', {
      device: request,
    })
  const { count, names, problem } = gpus()
  if (count === 0) {
    if (!wanted) return { device: 'cpu', reason: `no GPU: ${problem}` }
    throw new DeviceError(`device '${request}' is not there: ${problem}; use 'cpu' or 'auto'`, { device: request })
  }
  const index = Number(wanted?.[1] ?? 0)
  if (index >= count)
    throw new DeviceError(
      `device '${request}' is not there: this machine has ${count} GPU${count > 1 ? 's' : ''}, numbered from cuda:0`,
      {
        device: request,
        count,
      },
    )
  return { device: `cuda:${index}`, reason: names[index] ?? 'GPU' }
}
