import { spawn } from 'node:child_process'
import path from 'node:path'
import { AbortedError } from '../../errors.js'
import type { DoctorReport } from '../doctor.js'
import { SetupError } from './setup-error.js'

/** What a libtorch answered in a process of its own. */
export interface Verified {
  /** Version that its libraries tell; null where this package has no native addon to open them with. */
  readonly libtorch: string | null
  readonly threads: number | null
}

const PATIENCE = 180_000

/**
 * Loads a libtorch in a child process, `<program> doctor --json`, which opens it, asks its version and computes something:
 * whatever is wrong with it then ends that process, not this one.
 *
 * @param program how this program is run: node, its flags, and the file
 * @param root folder that holds lib/
 * @throws SetupError `ERR_SETUP_VERIFY` with what it said, AbortedError
 */
export async function verifyLibtorch(
  program: readonly string[],
  root: string,
  signal?: AbortSignal,
): Promise<Verified> {
  const refuse = (why: string): never => {
    throw new SetupError(`libtorch in ${root} can't be used: ${why}`, 'ERR_SETUP_VERIFY', { root })
  }
  const { stdout, stderr, ended } = await run([...program, 'doctor', '--json'], root, signal)
  let report: DoctorReport
  try {
    report = JSON.parse(stdout)
  } catch {
    const last = stderr.trim().split('\n').at(-1)
    return refuse(`loading it ended with ${ended}${last ? `: ${last}` : ''}`)
  }
  if (report.addon === null) return { libtorch: null, threads: null }
  if (report.libtorch === null || path.resolve(report.libtorch.root) !== path.resolve(root)) {
    const rejected = report.rejected.find(({ place }) => place.startsWith('SPIKINGRX_LIBTORCH='))
    return refuse(rejected?.reason ?? 'another one was loaded')
  }
  if (report.loaded === null || !report.loaded.computes)
    return refuse(report.problems.map(({ what }) => what).join('; '))
  // Opening it finds every NVIDIA library it needs, with or without a GPU.
  if (report.libtorch.build === 'cuda' && report.loaded.cudaFailure !== null) return refuse(report.loaded.cudaFailure)
  return { libtorch: report.loaded.libtorch, threads: report.loaded.threads }
}

async function run(
  [program = process.execPath, ...args]: readonly string[],
  root: string,
  signal: AbortSignal | undefined,
): Promise<{ stdout: string; stderr: string; ended: string }> {
  const { SPIKINGRX_PYTHON_TORCH: _, ...environment } = process.env
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, SPIKINGRX_LIBTORCH: root },
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    ...(signal ? { signal } : {}),
  })
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
    })
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, killed) => resolve(killed ?? `exit status ${code}`))
  }).catch((error: unknown) => {
    if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
    throw error
  })
  return { ...text, ended }
}
