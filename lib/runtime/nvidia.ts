import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** What the NVIDIA driver of this machine tells. */
export interface NvidiaDriver {
  /** Like '580.65.06'. */
  readonly version: string
  /** The newest CUDA it can run, like '13.0'; null where it doesn't say. */
  readonly cuda: string | null
  readonly gpus: readonly string[]
}

/** Windows' subsystem puts it where the path may not reach. */
const PROGRAMS = ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi']

function ask(args: readonly string[]): string | null {
  for (const program of PROGRAMS) {
    const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
    if (status === 0) return stdout
  }
  return null
}

/** Asks nvidia-smi, never nvcc: what runs is decided by the driver, not by a toolkit. Null where none answers. */
export function nvidiaDriver(): NvidiaDriver | null {
  const rows = ask(['--query-gpu=driver_version,name', '--format=csv,noheader'])
  if (rows === null) return null
  const gpus = rows
    .trim()
    .split('\n')
    .map((line) => line.split(/,\s*/))
  const version = gpus[0]?.[0]
  if (!version || !/^\d/.test(version)) return null
  const cuda = /CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)/.exec(ask([]) ?? '')?.[1] ?? null
  return { version, cuda, gpus: gpus.map(([, name]) => name ?? 'GPU') }
}

/** Whether a driver is loaded, without asking it (a look at the file system). */
export function driverIsLoaded(): boolean {
  return ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/usr/lib/wsl/lib/nvidia-smi'].some((file) =>
    existsSync(file),
  )
}

/** '580.65.06 (CUDA 13.0)' */
export function driverText({ version, cuda }: NvidiaDriver): string {
  return cuda === null ? version : `${version} (CUDA ${cuda})`
}

/** Whether a driver that runs CUDA `has` runs a program made for CUDA `wants`: within a major version any will do. */
export function driverRuns(has: string | null, wants: string): boolean {
  return has === null || Number.parseInt(has, 10) >= Number.parseInt(wants, 10)
}
