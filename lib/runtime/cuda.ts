import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Runtime } from './addon.js'
import { driverRuns, driverText, type NvidiaDriver, nvidiaDriver } from './nvidia.js'
import { cudaCommand } from './remedy.js'

/** Everything that computing on a GPU depends on, as it was found. */
export interface CudaFacts {
  readonly driver: NvidiaDriver | null
  /** Of the libtorch in use. */
  readonly libtorch: { readonly version: string | null; readonly build: 'cpu' | 'cuda' }
  /** CUDA that libtorch was built for, like '13.0'; null for a CPU build. */
  readonly cudaRuntime: string | null
  /** Path of this package's CUDA kernels; null where they are not there. */
  readonly kernels: string | null
  /** What loading said, shortly; null when everything was opened. */
  readonly failure: string | null
}

export interface CudaExplanation {
  /** What is missing: 'no NVIDIA driver answers (nvidia-smi)'. */
  readonly missing: string
  /** 'NVIDIA driver 580.65 (CUDA 13.0), libtorch ...' */
  readonly found: string
  /** What to do, as a sentence without its end. */
  readonly fix: string
  readonly facts: Record<string, unknown>
}

export function cudaFacts({ libtorch, files, cudaProblem }: Runtime): CudaFacts {
  return {
    driver: nvidiaDriver(),
    libtorch: { version: libtorch.version, build: libtorch.build },
    cudaRuntime: libtorch.build === 'cuda' ? cudaOfLibtorch(libtorch.root, libtorch.version) : null,
    kernels: files.plugin,
    failure: cudaProblem,
  }
}

/** '13.0' out of version.py, else out of the version's '+cu130'. */
export function cudaOfLibtorch(root: string, version: string | null): string | null {
  try {
    const stated = /^cuda\b[^=]*=\s*'([\d.]+)'/m.exec(readFileSync(path.join(root, 'version.py'), 'utf8'))?.[1]
    if (stated) return stated
  } catch {
    // the official zip has no such file
  }
  const tag = /\+cu(\d+)(\d)$/.exec(version ?? '')
  return tag ? `${tag[1]}.${tag[2]}` : null
}

/** The first thing that is missing on the way to a GPU, and what to do about it. */
export function explainCuda(facts: CudaFacts): CudaExplanation {
  const [missing, fix] = firstMissing(facts)
  const { driver, libtorch, cudaRuntime, kernels } = facts
  const found = [
    driver ? `NVIDIA driver ${driverText(driver)}` : 'no NVIDIA driver',
    `libtorch ${libtorch.version ?? 'of unknown version'} (${libtorch.build === 'cuda' ? 'CUDA' : 'CPU'} build)`,
    cudaRuntime ? `CUDA runtime ${cudaRuntime}` : 'no CUDA runtime',
    kernels ? `kernels ${path.basename(kernels)}` : 'no kernels (spikingrx_cuda.so)',
  ].join(', ')
  return { missing, found, fix, facts: { ...facts } }
}

function firstMissing({ driver, libtorch, cudaRuntime, kernels, failure }: CudaFacts): [string, string] {
  const cpuBuild = libtorch.build === 'cpu'
  if (driver === null) {
    const then = cpuBuild ? `, then run \`${cudaCommand}\`` : ''
    const also = cpuBuild ? ' and the libtorch in use is a CPU build' : ''
    return [`no NVIDIA driver answers (nvidia-smi)${also}`, `Install the driver${then}`]
  }
  if (cpuBuild) return ['the libtorch in use is a CPU build', `Run \`${cudaCommand}\``]
  if (cudaRuntime !== null && !driverRuns(driver.cuda, cudaRuntime))
    return [
      `the NVIDIA driver runs CUDA ${driver.cuda} at most, this libtorch needs ${cudaRuntime}`,
      'Install a newer driver',
    ]
  if (kernels === null)
    return [
      "this package's CUDA kernels (spikingrx_cuda.so) are not there",
      'Install a release that ships them or run `npm run build:cuda` in a checkout',
    ]
  if (failure !== null) return [failure, `Run \`${cudaCommand}\``]
  return ["libtorch's CUDA build sees no GPU", 'Look at CUDA_VISIBLE_DEVICES and nvidia-smi']
}
