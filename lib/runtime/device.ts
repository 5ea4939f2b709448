import { debuglog } from 'node:util'
import { ArgumentError, DeviceError } from '../errors.js'
import { runtime } from './addon.js'
import { type CudaExplanation, cudaFacts, explainCuda } from './cuda.js'
import { driverIsLoaded } from './nvidia.js'

/** Where tensors live: 'auto' takes the first GPU where there is a usable one, else the CPU. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}` | 'auto'

export interface ResolvedDevice {
  /** As libtorch names it: 'cpu' or 'cuda:0'. */
  readonly device: string
  /** Why this one, for a person: "no GPU: the libtorch in use is a CPU build". */
  readonly reason: string
}

/** GPUs that this process can compute on. */
export interface UsableGpus {
  readonly count: number
  readonly names: readonly string[]
  /** What is missing when there is none, shortly; costs nothing. */
  readonly problem: string | null
  /** The same with what was found and what to do, for an error; asks the driver. */
  readonly explain: () => CudaExplanation
}

function usableGpus(): UsableGpus {
  const loaded = runtime()
  const none = { count: 0, names: [], explain: () => explainCuda(cudaFacts(loaded)) }
  if (loaded.cudaProblem !== null) return { ...none, problem: loaded.cudaProblem }
  const { cuda: count, names } = loaded.native.devices()
  const problem = count === 0 ? "libtorch's CUDA build sees no GPU" : null
  return { ...none, count, names, problem }
}

/**
 * The device to compute on. 'cpu' loads nothing.
 *
 * @throws ArgumentError `ERR_RANGE` when the request is not 'cpu', 'cuda', 'cuda:N' or 'auto'
 * @throws DeviceError `ERR_DEVICE` when a GPU is asked for and not there; the message says what is missing, `details`
 * what was found of driver, libtorch, CUDA runtime and kernels
 */
export function resolveDevice(request: string, gpus: () => UsableGpus = usableGpus): ResolvedDevice {
  if (request === 'cpu') return { device: 'cpu', reason: 'asked for' }
  const wanted = /^cuda(?::(\d{1,3}))?$/.exec(request)
  if (request !== 'auto' && !wanted)
    throw new ArgumentError(`device must be 'cpu', 'cuda', 'cuda:N' or 'auto', got '${request}'`, 'ERR_RANGE', {
      device: request,
    })
  const { count, names, problem, explain } = gpus()
  if (count === 0) {
    if (!wanted) return announced({ device: 'cpu', reason: `no GPU: ${problem}` })
    const { missing, found, fix, facts } = explain()
    const message = `device '${request}' is not there: ${missing}. Found: ${found}. ${fix}, or use 'cpu' or 'auto'`
    throw new DeviceError(message, { device: request, missing, ...facts })
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
  const chosen = { device: `cuda:${index}`, reason: names[index] ?? 'GPU' }
  return wanted ? chosen : announced(chosen)
}

let told = false

/**
 * Says once in a thread what 'auto' took: to NODE_DEBUG=spikingrx always, and as a warning where a GPU's driver is loaded and
 * yet the CPU was taken, because that is hardly what was meant. On a machine without a GPU there is nothing to warn of.
 */
function announced(chosen: ResolvedDevice): ResolvedDevice {
  if (told) return chosen
  told = true
  debuglog('spikingrx')("device 'auto' is %s: %s", chosen.device, chosen.reason)
  if (chosen.device === 'cpu' && driverIsLoaded())
    process.emitWarning(
      `device 'auto' is the CPU though an NVIDIA driver is loaded (${chosen.reason}); \`npx spikingrx doctor\` tells more`,
      'SpikingRxWarning',
    )
  return chosen
}
