import { SpikingRxError } from '../errors.js'

/** glibc that libtorch's own builds ask for (manylinux_2_28). */
export const GLIBC_WANTED = '2.28'

/** The C library of this Node: 'glibc 2.36', 'musl or another libc without a version', null where it is not Linux's. */
export function libcName(): string | null {
  if (process.platform !== 'linux') return null
  const version = glibcVersion()
  return version === null ? 'not glibc (musl?)' : `glibc ${version}`
}

/** '2.36'; null on musl and elsewhere. Takes some milliseconds. */
export function glibcVersion(): string | null {
  // Without it the report asks name servers about every network interface.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return header?.glibcVersionRuntime ?? null
  } finally {
    if (before !== undefined) report.excludeNetwork = before
  }
}

/** Why nothing native of this package can run here, whatever is installed; null where it can. */
export function platformProblem(
  libc: string | null = glibcVersion(),
  platform: string = process.platform,
): string | null {
  if (platform !== 'linux') return null
  if (libc === null)
    return `this Node runs on musl libc (Alpine Linux?), libtorch needs glibc ${GLIBC_WANTED} or newer: use a Node of a glibc system, such as the image node:22-slim`
  const [major = 0, minor = 0] = libc.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = GLIBC_WANTED.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return null
  return `this system has glibc ${libc}, libtorch needs ${GLIBC_WANTED} or newer: use a newer system (Debian 10, Ubuntu 20.04, RHEL 8 or later)`
}

/** `ERR_PLATFORM` where the platform is the reason that something native failed, else the error given. */
export function platformErrorOr(otherwise: SpikingRxError): SpikingRxError {
  const problem = platformProblem()
  if (problem === null) return otherwise
  return new SpikingRxError(`spikingrx can't run here: ${problem}`, 'ERR_PLATFORM', { libc: libcName() }, otherwise)
}
