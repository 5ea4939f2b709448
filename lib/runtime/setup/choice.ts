/** CPU or CUDA, and which version: by what was asked for, the driver, and the cores that this package has. */
import { driverRuns, driverText, type NvidiaDriver } from '../nvidia.js'
import { SetupError } from './setup-error.js'
import type { Build } from './source.js'

/** CUDA that the CUDA build on PyPI is made for; the folder and the zip are named by the tag. */
export const CUDA = { version: '13.0', tag: 'cu130', driver: '580' } as const

/** Taken where this package's cores do not tell. */
const DEFAULT_MINOR = '2.13'

/** The release to fetch, for the newest of the minor versions there is a core for: '2.13.0'. */
export function releaseFor(supported: readonly string[]): string {
  const newest = [...supported].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0]
  return `${newest ?? DEFAULT_MINOR}.0`
}

export interface Choice {
  readonly build: Build
  /** Why, for a person. */
  readonly notes: readonly string[]
}

/**
 * Without a wish, what the source holds, if one was named, else CUDA where a driver runs it. A wish for CUDA is granted on a machine without a driver too, which may
 * prepare a folder or an image for another one; a driver that is too old would never run it.
 *
 * @param source whether it was named by the user, and the build that it is known to hold
 * @throws SetupError `ERR_SETUP_DRIVER` when CUDA is asked for and the driver is too old for the build that would be fetched
 */
export function chooseBuild(
  wish: Build | null,
  source: { readonly explicit: boolean; readonly holds: Build | null },
  driver: () => NvidiaDriver | null,
): Choice {
  if (wish === null && source.holds !== null) return { build: source.holds, notes: [] }
  if (wish === 'cpu') return { build: 'cpu', notes: [] }
  const found = driver()
  // One whose build shows only once it is fetched is taken as it is.
  if (wish === null && source.explicit) return { build: found === null ? 'cpu' : 'cuda', notes: [] }
  const tooOld = found !== null && !driverRuns(found.cuda, CUDA.version)
  const update = `update it to ${CUDA.driver} or newer`
  if (wish === 'cuda') {
    if (found === null)
      return {
        build: 'cuda',
        notes: [
          'no NVIDIA driver answers here (nvidia-smi): the CUDA build is set up all the same, and computes on the CPU until there is one',
        ],
      }
    if (!tooOld || source.explicit) return { build: 'cuda', notes: [`NVIDIA driver ${driverText(found)}`] }
    throw new SetupError(
      `the NVIDIA driver ${driverText(found)} is too old for libtorch's CUDA ${CUDA.version} build: ${update}, or use --cpu`,
      'ERR_SETUP_DRIVER',
      { driver: found.version, cuda: found.cuda, wanted: CUDA.version },
    )
  }
  if (found === null) return { build: 'cpu', notes: ['no NVIDIA driver answers (nvidia-smi): taking the CPU build'] }
  if (tooOld)
    return {
      build: 'cpu',
      notes: [
        `NVIDIA driver ${driverText(found)} is too old for libtorch's CUDA ${CUDA.version} build: taking the CPU build. To use the GPU, ${update} and run setup --cuda`,
      ],
    }
  return { build: 'cuda', notes: [`NVIDIA driver ${driverText(found)}: taking the CUDA build (--cpu for the CPU one)`] }
}
