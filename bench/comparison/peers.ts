/** Whom spikingrx is compared with, and how each is started. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, searchContext } from '../../lib/runtime/locate.js'
import { installedExactly, pythonEnvironment, torchFolder, whyNoTorch } from '../../test/python/python.js'
import type { PeerCommand } from './peer-process.js'

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'peers')

export interface Peer {
  readonly id: string
  readonly title: string
  readonly program: readonly [script: string, ...args: readonly string[]]
  /** File of bench/peers/requirements besides that of torch; undefined for Node. */
  readonly requirements?: string
  /** Needs Python's torch. */
  readonly torch?: boolean
  /** Whose values it must give; undefined where there is nothing to compare. */
  readonly reference?: string
  /** Only in the full run. */
  readonly full?: boolean
}

/** In the order of the tables. */
export const peers: readonly Peer[] = [
  { id: 'copy', title: 'copy bound', program: ['copy_peer.py'], torch: true },
  {
    id: 'spikingrx-operators',
    title: 'spikingrx, kernels alone',
    program: ['spikingrx.mjs', 'operators'],
    reference: 'spikingrx',
  },
  { id: 'spikingrx', title: 'spikingrx', program: ['spikingrx.mjs'] },
  {
    id: 'spikingrx-saved',
    title: 'spikingrx, membranes saved',
    program: ['spikingrx.mjs', 'saved'],
    reference: 'spikingrx',
  },
  {
    id: 'spikingrx-dense',
    title: 'spikingrx, dense only',
    program: ['spikingrx.mjs', 'dense'],
    reference: 'spikingrx',
  },
  { id: 'spikingrx-delayed', title: "spikingrx, snnTorch's neuron", program: ['spikingrx.mjs', 'delayed'] },
  { id: 'spikingrx-convolutions', title: 'its two convolutions alone', program: ['spikingrx.mjs', 'convolutions'] },
  {
    id: 'convolutions',
    title: 'two convolutions alone, torch',
    program: ['convolutions.py'],
    torch: true,
    reference: 'spikingrx-convolutions',
  },
  { id: 'jax', title: 'JAX lax.scan', program: ['jax_peer.py'], requirements: 'jax.txt', reference: 'spikingrx' },
  { id: 'compiled', title: 'torch.compile in chunks', program: ['compiled.py'], torch: true, reference: 'spikingrx' },
  { id: 'unbind', title: 'torch, by hand with unbind', program: ['unbind.py'], torch: true, reference: 'spikingrx' },
  {
    id: 'spikingjelly-inductor',
    title: 'SpikingJelly 2.0, Inductor',
    program: ['spikingjelly_peer.py', 'inductor'],
    requirements: 'spikingjelly.txt',
    torch: true,
    reference: 'spikingrx',
  },
  {
    id: 'spikingjelly',
    title: 'SpikingJelly 2.0, torch',
    program: ['spikingjelly_peer.py'],
    requirements: 'spikingjelly.txt',
    torch: true,
    reference: 'spikingrx',
  },
  {
    id: 'spikingjelly-0.0.0.0.14',
    title: 'SpikingJelly 0.0.0.0.14, torch',
    program: ['spikingjelly_peer.py'],
    requirements: 'spikingjelly-0.0.0.0.14.txt',
    torch: true,
    reference: 'spikingrx',
    full: true,
  },
  {
    id: 'norse',
    title: 'Norse LIFBox',
    program: ['norse_peer.py'],
    requirements: 'norse.txt',
    torch: true,
    reference: 'spikingrx',
  },
  {
    id: 'snntorch',
    title: 'snnTorch Leaky',
    program: ['snntorch_peer.py'],
    requirements: 'snntorch.txt',
    torch: true,
    reference: 'spikingrx-delayed',
  },
]

export function peerOf(id: string): Peer {
  const found = peers.find((peer) => peer.id === id)
  if (found === undefined) throw new Error(`there is no peer ${id}: ${peers.map(({ id }) => id).join(', ')}`)
  return found
}

export interface StartOptions {
  /** Compile anew: no caches of earlier runs. */
  readonly cold: boolean
  /** Where to run with one thread, as taskset takes it. Default: the last processor. */
  readonly processors?: string | undefined
}

/**
 * How to start a peer that computes with so many threads; its packages are installed on the way.
 *
 * @throws Error with one sentence when what it needs is not there
 */
export function commandOf(peer: Peer, threads: number, options: StartOptions): PeerCommand {
  const [script, ...args] = peer.program
  const path = join(folder, 'comparison', script)
  const environment = {
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    OMP_WAIT_POLICY: 'PASSIVE',
  }
  const pin = (command: readonly string[], values: Readonly<Record<string, string>>): PeerCommand =>
    pinned(command, values, threads, options.processors)
  if (script.endsWith('.mjs')) return pin([process.execPath, '--expose-gc', path, ...args], environment)

  const why = peer.torch ? whyNoTorch() : null
  if (why !== null) throw new Error(why)
  const requirements = (name: string): string => installedExactly(join(folder, 'requirements', name))
  const packages = [
    ...(peer.requirements === undefined ? [] : [requirements(peer.requirements)]),
    ...(peer.torch ? [requirements('torch.txt'), dirname(torchFolder())] : []),
  ]
  const cache = join(cacheFolder(searchContext([])), 'inductor')
  const python = {
    ...environment,
    ...pythonEnvironment(packages.join(delimiter)),
    PYTHONNOUSERSITE: '1',
    PYTHONWARNINGS: 'ignore',
    XLA_FLAGS: threads === 1 ? '--xla_cpu_multi_thread_eigen=false' : '',
    JAX_PLATFORMS: 'cpu',
    TORCHINDUCTOR_CACHE_DIR: cache,
    TORCHINDUCTOR_COMPILE_THREADS: '1',
    ...(options.cold ? { TORCHINDUCTOR_FORCE_DISABLE_CACHES: '1' } : {}),
  }
  return pin(['python3', path, ...args], python)
}

/** On as many processors as threads, where `taskset` is: XLA, for one, takes as many threads as it finds processors. */
function pinned(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  threads: number,
  chosen: string | undefined,
): PeerCommand {
  const [program, ...args] = command as [string, ...string[]]
  const processors = availableParallelism()
  if (!taskset() || threads >= processors) return { program, args, environment }
  const last = `${processors - threads}-${processors - 1}`
  const places = threads === 1 ? (chosen ?? last) : last
  return { program: 'taskset', args: ['-c', places, program, ...args], environment }
}

let found: boolean | undefined
function taskset(): boolean {
  found ??= existsSync('/proc/self/status') && spawnSync('taskset', ['--version']).status === 0
  return found
}
