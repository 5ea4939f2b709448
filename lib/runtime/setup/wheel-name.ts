/** `torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl`, taken apart (binary distribution format, "File name convention"). */
export interface WheelName {
  /** Normalised as in the index: 'nvidia-cublas'. */
  readonly project: string
  readonly version: string
  readonly python: string
  readonly abi: string
  readonly platforms: readonly string[]
}

/** Null where it is no wheel's name. */
export function parseWheelName(file: string): WheelName | null {
  const parts = /^([^-]+)-([^-]+)(?:-\d[^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl$/.exec(file)
  if (!parts) return null
  const [, project = '', version = '', python = '', abi = '', platforms = ''] = parts
  return { project: normalised(project), version, python, abi, platforms: platforms.split('.') }
}

/** PEP 503: runs of -, _ and . are one -, in small letters. */
export function normalised(project: string): string {
  return project.replace(/[-_.]+/g, '-').toLowerCase()
}

const PYTHON_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

/** Whether its libraries run on Linux with this architecture: the Python it is for does not matter, none will load it. */
export function fitsPlatform({ platforms, abi }: WheelName, architecture: string): boolean {
  // Free-threaded Python's wheels carry the same libraries; one kind is enough.
  if (abi.endsWith('t')) return false
  const machine = PYTHON_ARCHITECTURES[architecture]
  return platforms.some(
    (platform) => platform === 'any' || (/^(manylinux|linux_)/.test(platform) && platform.endsWith(`_${machine}`)),
  )
}

/** The version whose libraries everybody has: the one most often tested comes first. */
export function pythonRank({ python }: WheelName): number {
  return python === 'cp311' ? 0 : 1000 - Number(/\d+/.exec(python)?.[0] ?? 0)
}
