import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { LibtorchNotFoundError, LibtorchVersionError, SpikingRxError } from '../errors.js'
import type { Native } from '../native.js'
import { elfProblem } from './elf.js'
import { type AddonFiles, addonFiles } from './files.js'
import { type Libtorch, type LibtorchSearch, libraryFile, locateLibtorch, minorOf, searchContext } from './locate.js'
import { platformErrorOr } from './platform.js'
import { addonRemedy, libtorchCommand, libtorchRemedy } from './remedy.js'
import { withTypedErrors } from './typed-errors.js'

/** The loader (native/loader/loader.c): the only native file that node resolves by itself. */
interface Loader {
  /** dlopen by full path, RTLD_NOW | RTLD_LOCAL. */
  open(path: string): void
  /** Full paths of the mapped libraries whose path contains `substring`. */
  loaded(substring: string): string[]
  /** [major, minor, patch] of the libtorch that was opened. */
  torchVersion(): number[]
}

/** What was loaded into this thread, and from where. */
export interface Runtime {
  readonly native: Native
  readonly files: AddonFiles
  readonly libtorch: Libtorch
  readonly search: LibtorchSearch
  /** Why libtorch_cuda is not opened; null when it is. */
  readonly cudaFailure: string | null
  /** What stands between this runtime and a GPU; null when nothing does. */
  readonly cudaProblem: string | null
}

let current: Runtime | undefined

/**
 * The native addon; libtorch and the addon are loaded on the first call (about 0.2 s), once for each thread.
 *
 * @throws LibtorchNotFoundError `ERR_LIBTORCH_NOT_FOUND` listing each place looked at and why it was not taken
 * @throws LibtorchVersionError `ERR_LIBTORCH_VERSION` when libtorch is of a version this package has no core for
 * @throws SpikingRxError `ERR_ADDON_NOT_FOUND` when the addon is not built, `ERR_ADDON` when it can't be opened,
 * `ERR_PLATFORM` when the reason is musl or an old glibc
 */
export function native(): Native {
  return (current ?? runtime()).native
}

/** The same with what was loaded from where. Throws as {@link native}. */
export function runtime(): Runtime {
  current ??= load()
  return current
}

function load(): Runtime {
  const files = addonFiles()
  const supported = [...files.cores.keys()]
  const search = locateLibtorch(searchContext(supported))
  const libtorch = search.found
  if (libtorch === null) throw notFound(search, supported)
  const ignored = search.rejected.find((one) => one.place.startsWith('SPIKINGRX_LIBTORCH='))
  if (ignored) process.emitWarning(`${ignored.place} ${ignored.reason}; using ${libtorch.root}`, 'SpikingRxWarning')

  const loader = openLoader(files.loader)
  const cudaFailure = openLibtorch(loader, libtorch)
  const version = openedVersion(loader, libtorch.root, supported)
  const chosen = files.cores.get(minorOf(version))
  if (chosen === undefined) throw wrongVersion(version, libtorch.root, supported)
  const addon: { exports: unknown } = { exports: {} }
  let pluginFailure: string | null = null
  try {
    const computing = files.kernels === null ? [chosen.core] : [files.kernels, chosen.core]
    for (const file of [...computing, chosen.binding]) refuseDamaged(file)
    for (const file of computing) loader.open(file)
    process.dlopen(addon, chosen.binding, os.constants.dlopen.RTLD_NOW)
  } catch (cause) {
    throw new SpikingRxError(
      `The native addon ${chosen.binding} can't be opened with libtorch ${version} in ${libtorch.root}: ${messageOf(cause)}. ${addonRemedy()}`,
      'ERR_ADDON',
      { binding: chosen.binding, libtorch: libtorch.root },
      cause,
    )
  }
  if (cudaFailure === null && files.plugin !== null) {
    try {
      refuseDamaged(files.plugin)
      loader.open(files.plugin)
    } catch (error) {
      pluginFailure = `${files.plugin} can't be opened: ${messageOf(error)}`
    }
  }
  const noPlugin = files.plugin === null ? 'the CUDA kernels (spikingrx_cuda.so) are not there' : null
  return {
    native: withTypedErrors(addon.exports as Native),
    files,
    libtorch,
    search,
    cudaFailure,
    cudaProblem: cudaFailure ?? pluginFailure ?? noPlugin,
  }
}

/** @throws SpikingRxError `ERR_ADDON` or `ERR_PLATFORM` */
function openLoader(file: string): Loader {
  try {
    refuseDamaged(file)
    return createRequire(import.meta.url)(file) as Loader
  } catch (cause) {
    const error = new SpikingRxError(
      `The native addon ${file} can't be opened: ${messageOf(cause)}. ${addonRemedy()}`,
      'ERR_ADDON',
      { loader: file },
      cause,
    )
    throw platformErrorOr(error)
  }
}

/** Opening half a library would end the process. */
function refuseDamaged(file: string): void {
  const problem = process.platform === 'linux' ? elfProblem(file, process.arch) : null
  if (problem !== null) throw new Error(`${path.basename(file)} ${problem}`)
}

/**
 * Opens libtorch's libraries by full path, so that those of the core resolve by name without any search path. CUDA goes
 * first of all calls: libtorch looks its hooks up once. Returns why there is no CUDA, or null.
 *
 * A library that fails here ends the search, though another place might do: libc10.so stays mapped under its name, and
 * the next place's libtorch_cpu.so would be bound to it, of another build. What can be told without opening was told by
 * locateLibtorch before.
 */
function openLibtorch(loader: Loader, libtorch: Libtorch): string | null {
  const file = (name: string) => path.join(libtorch.libraries, libraryFile(name, process.platform))
  try {
    loader.open(file('c10'))
    loader.open(file('torch_cpu'))
  } catch (cause) {
    throw new LibtorchNotFoundError(
      `libtorch in ${libtorch.root} can't be opened: ${messageOf(cause)}. ${repair(libtorch)}`,
      { root: libtorch.root, command: libtorchCommand(true) },
      cause,
    )
  }
  if (!existsSync(file('torch_cuda'))) return 'the libtorch in use is a CPU build'
  try {
    loader.open(file('torch_cuda'))
    return null
  } catch (error) {
    return `${file('torch_cuda')} can't be opened: ${messageOf(error)}`
  }
}

/** What to do about a libtorch that was found and can't be opened. */
function repair({ source }: Libtorch): string {
  const first = source === 'environment' ? 'Correct or unset SPIKINGRX_LIBTORCH. ' : ''
  return `${first}${libtorchRemedy(true)}`
}

function openedVersion(loader: Loader, root: string, supported: readonly string[]): string {
  try {
    return loader.torchVersion().join('.')
  } catch {
    throw wrongVersion('older than 2.5', root, supported)
  }
}

function notFound(search: LibtorchSearch, supported: readonly string[]): SpikingRxError {
  const damaged = search.rejected.some((one) => one.damaged)
  const details = { rejected: search.rejected, supported, command: libtorchCommand(damaged) }
  const looked = search.rejected.map(({ place, reason }) => `\n  - ${place} ${reason}`).join('')
  const versions = search.rejected.flatMap(({ version }) => version ?? [])
  if (versions.length > 0)
    return new LibtorchVersionError(
      `libtorch ${versions.join(' and ')} was found, but this package has a core for libtorch ${supported.join(', ')}. Looked at:${looked}\n${libtorchRemedy(damaged)}.`,
      details,
    )
  return new LibtorchNotFoundError(`libtorch was not found. Looked at:${looked}\n${libtorchRemedy(damaged)}.`, details)
}

function wrongVersion(version: string, root: string, supported: readonly string[]): LibtorchVersionError {
  return new LibtorchVersionError(
    `libtorch ${version} in ${root} does not fit: this package has a core for libtorch ${supported.join(', ') || 'no version'}. ${libtorchRemedy()}.`,
    { version, root, supported, command: libtorchCommand() },
  )
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.?\s*$/, '')
