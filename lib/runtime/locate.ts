import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { elfProblem } from './elf.js'
import { packageFolder } from './files.js'

/** Where a libtorch was found. */
export type LibtorchSource = 'environment' | 'companion' | 'cache' | 'python'

/** A usable libtorch: a folder whose `lib/` holds the libraries. */
export interface Libtorch {
  readonly source: LibtorchSource
  readonly root: string
  /** `<root>/lib` */
  readonly libraries: string
  /** Like '2.13.0' or '2.13.0+cpu', as a file in the folder says; null where none does. */
  readonly version: string | null
  /** 'cuda' when `libtorch_cuda` lies beside `libtorch_cpu`. */
  readonly build: 'cpu' | 'cuda'
}

/** A place that was looked at and not taken. */
export interface Rejection {
  readonly place: string
  readonly reason: string
  /** Set when a libtorch is there, of a version this package has no core for. */
  readonly version?: string
  /** Set when a libtorch is there with a library that can't be opened, such as half of one. */
  readonly damaged?: true
}

export interface LibtorchSearch {
  readonly found: Libtorch | null
  readonly rejected: readonly Rejection[]
}

/** What the search depends on; {@link searchContext} gives that of this process. */
export interface SearchContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly platform: string
  readonly architecture: string
  /** Folders from which the companion package is resolved, in order. */
  readonly resolveFrom: readonly string[]
  /** Minor versions there is a core for: ['2.13']. Empty: any. */
  readonly supported: readonly string[]
  /** The folder of the `torch` package of this machine's Python, asked without importing it. */
  readonly pythonTorch: () => string | null
  /** Why a file is no library that can be opened here, or null; nothing is loaded. */
  readonly libraryProblem: (file: string) => string | null
}

export function searchContext(supported: readonly string[]): SearchContext {
  return {
    environment: process.env,
    home: os.homedir(),
    platform: process.platform,
    architecture: process.arch,
    resolveFrom: [packageFolder, process.cwd()],
    supported,
    pythonTorch,
    libraryProblem: (file) => (process.platform === 'linux' ? elfProblem(file, process.arch) : null),
  }
}

function pythonTorch(): string | null {
  const program =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")'
  const { status, stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8', timeout: 10_000 })
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : null
}

/** File name of a library: `libc10.so`, `libc10.dylib`, `c10.dll`. */
export function libraryFile(name: string, platform: string): string {
  if (platform === 'win32') return `${name}.dll`
  return `lib${name}.${platform === 'darwin' ? 'dylib' : 'so'}`
}

/** The user cache, where the build and `spikingrx setup` put libtorch. */
export function cacheFolder(context: Pick<SearchContext, 'environment' | 'home'>): string {
  return path.join(context.environment.XDG_CACHE_HOME || path.join(context.home, '.cache'), 'spikingrx')
}

/** '2.13.0+cpu' -> '2.13' */
export function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}

/** The Python package has version.py, the zip build-version, and both (unless stripped) the header. */
export function readVersion(root: string): string | null {
  const from = (file: string, pattern: RegExp): string[] | null => {
    try {
      return pattern.exec(readFileSync(path.join(root, file), 'utf8'))
    } catch {
      return null
    }
  }
  const header = from(
    'include/torch/headeronly/version.h',
    /VERSION_MAJOR (\d+)[\s\S]*VERSION_MINOR (\d+)[\s\S]*VERSION_PATCH (\d+)/,
  )
  return (
    from('version.py', /__version__ = '([^']+)'/)?.[1] ??
    from('build-version', /\d\S*/)?.[0] ??
    (header ? header.slice(1, 4).join('.') : null)
  )
}

export type Verdict =
  | { readonly libtorch: Libtorch }
  | { readonly reason: string; readonly version?: string; readonly damaged?: true }

/** Why there is nothing to be read at a path, or null: a folder that may not be entered is not the same as none. */
function absence(file: string): string | null {
  try {
    statSync(file)
    return null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such folder'
    return code === 'EACCES' ? "can't be read: permission denied" : `can't be read (${code})`
  }
}

/** What opening libtorch maps out of its folder: its own libraries and the run time of OpenMP. */
function openedLibraries(libraries: string, platform: string): string[] {
  const own = ['c10', 'torch_cpu', 'c10_cuda', 'torch_cuda'].map((name) => libraryFile(name, platform))
  const openmp = readdirSync(libraries).filter((name) => /^lib(gomp|iomp5)\b.*\.so/.test(name))
  return [...own.filter((name) => existsSync(path.join(libraries, name))), ...openmp]
}

/** Looks into one folder: `folder/lib`, or `folder/torch/lib` as the Python package unpacks. */
function examine(source: LibtorchSource, folder: string, context: SearchContext): Verdict {
  const absent = absence(folder)
  if (absent !== null) return { reason: absent }
  const file = (name: string) => libraryFile(name, context.platform)
  const roots = [folder, path.join(folder, 'torch')]
  const found = roots.map((one) => absence(path.join(one, 'lib', file('torch_cpu'))))
  const root = roots[found.indexOf(null)]
  if (root === undefined) {
    const forbidden = found.find((reason) => reason !== 'no such folder')
    return { reason: forbidden ?? `holds no lib/${file('torch_cpu')}` }
  }
  const libraries = path.join(root, 'lib')
  if (!existsSync(path.join(libraries, file('c10'))))
    return { reason: `lib/${file('c10')} is missing beside ${file('torch_cpu')}` }
  const build = existsSync(path.join(libraries, file('torch_cuda'))) ? 'cuda' : 'cpu'
  const version = readVersion(root)
  if (version !== null && context.supported.length > 0 && !context.supported.includes(minorOf(version))) {
    const wanted = context.supported.join(', ')
    return { reason: `is libtorch ${version} (${build} build), this package has a core for ${wanted}`, version }
  }
  for (const name of openedLibraries(libraries, context.platform)) {
    const problem = context.libraryProblem(path.join(libraries, name))
    if (problem !== null) return { reason: `lib/${name} ${problem}`, damaged: true }
  }
  return { libtorch: { source, root, libraries, version, build } }
}

/** The companion package's folder, or null where it is not installed. */
function companionFolder(name: string, context: SearchContext): string | null {
  for (const folder of context.resolveFrom) {
    try {
      return path.dirname(createRequire(path.join(folder, 'package.json')).resolve(`${name}/package.json`))
    } catch {}
  }
  return null
}

/** `libtorch-*` folders of the cache, newest version first, or why there are none. */
function cachedFolders(cache: string): string[] | string {
  const absent = absence(cache)
  if (absent !== null) return absent === 'no such folder' ? 'holds no libtorch-* folder' : absent
  try {
    const folders = readdirSync(cache, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith('libtorch-') && !entry.name.includes('.part-') && !entry.isFile())
      .map((entry) => entry.name)
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => path.join(cache, name))
    return folders.length > 0 ? folders : 'holds no libtorch-* folder'
  } catch (error) {
    return `can't be read (${(error as NodeJS.ErrnoException).code})`
  }
}

type Place = { readonly source: LibtorchSource; readonly place: string; readonly folder: string } | Rejection

/** Every place, in order; lazily, because the later ones cost a look at the disk or a Python process. */
function* places(context: SearchContext): Generator<Place> {
  const chosen = context.environment.SPIKINGRX_LIBTORCH
  if (chosen) yield { source: 'environment', place: `SPIKINGRX_LIBTORCH=${chosen}`, folder: path.resolve(chosen) }
  else yield { place: 'SPIKINGRX_LIBTORCH', reason: 'is not set' }

  // A CUDA build in the cache was asked for by `spikingrx setup --cuda`: a companion package, which is for the CPU, must
  // not hide it.
  const cache = cacheFolder(context)
  const cached = cachedFolders(cache)
  const folders = typeof cached === 'string' ? [] : cached
  const isCuda = (folder: string) => /-cu\d+$/.test(folder)
  for (const folder of folders.filter(isCuda)) yield { source: 'cache', place: folder, folder }

  const name = `@spikingrx/libtorch-cpu-${context.platform}-${context.architecture}`
  const companion = companionFolder(name, context)
  if (companion !== null) yield { source: 'companion', place: `package ${name}`, folder: companion }
  else yield { place: `package ${name}`, reason: 'is not installed' }

  for (const folder of folders.filter((one) => !isCuda(one))) yield { source: 'cache', place: folder, folder }
  if (typeof cached === 'string') yield { place: `cache ${cache}`, reason: cached }

  if (context.environment.SPIKINGRX_PYTHON_TORCH !== '1') {
    yield { place: "Python's torch", reason: 'is used only with SPIKINGRX_PYTHON_TORCH=1' }
    return
  }
  const folder = context.pythonTorch()
  if (folder !== null) yield { source: 'python', place: `Python's torch in ${folder}`, folder }
  else yield { place: "Python's torch", reason: 'is not installed for python3' }
}

/**
 * Looks for libtorch: SPIKINGRX_LIBTORCH, CUDA builds of the user cache, the companion package, CPU builds of the user
 * cache, and Python's torch when SPIKINGRX_PYTHON_TORCH=1. The first that holds whole libraries, in a version there is a
 * core for, wins; every place passed over is recorded with its reason. Nothing is loaded: what a library is can be told
 * from its headers, and one that was opened can't be closed again.
 */
export function locateLibtorch(context: SearchContext): LibtorchSearch {
  const rejected: Rejection[] = []
  for (const place of places(context)) {
    if ('reason' in place) {
      rejected.push(place)
      continue
    }
    const verdict = examine(place.source, place.folder, context)
    if ('libtorch' in verdict) return { found: verdict.libtorch, rejected }
    rejected.push({ place: place.place, ...verdict })
  }
  return { found: null, rejected }
}

/** One folder as {@link locateLibtorch} sees it: a usable libtorch, or why it is none. */
export function examineLibtorch(folder: string, context: SearchContext): Verdict {
  return examine('environment', folder, context)
}
