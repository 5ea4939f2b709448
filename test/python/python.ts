/** A Python that imports the torch of the libtorch in use, so that both languages run the very same libraries. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { addonFiles } from '../../lib/runtime/files.js'
import { cacheFolder, type Libtorch, locateLibtorch, minorOf, searchContext } from '../../lib/runtime/locate.js'

const here = path.dirname(fileURLToPath(import.meta.url))
const requirements = path.join(here, 'requirements.txt')

/** Runs a script of this folder and gives what it prints; a failure is an error with what it wrote to stderr. */
export type Python = (script: string, ...args: readonly string[]) => string

/** Python with the packages of requirements.txt, installed once into the user cache, without torch. */
export function python(): Python {
  return runner([installedPackages(requirements)])
}

/** Python with torch besides. */
export function pythonWithTorch(): Python {
  return runner([installedPackages(requirements), path.dirname(torchFolder())])
}

/** Why torch can't be imported here, or null: libtorch may come without Python's torch, or for another Python. */
export function whyNoTorch(): string | null {
  const folder = torchFolder()
  if (!existsSync(path.join(folder, '__init__.py'))) return `${folder} is libtorch without Python's torch`
  const tag = `cpython-${version().replace('.', '')}`
  const fits = readdirSync(folder).some((name) => name.startsWith(`_C.${tag}`))
  return fits ? null : `Python's torch in ${folder} is not for ${tag}`
}

/** The compute core built for that torch. */
export function core(): string {
  const { version } = libtorch()
  const { cores } = addonFiles()
  const fitting = version === null ? undefined : cores.get(minorOf(version))
  if (!fitting) throw new Error(`there is no core for libtorch ${version}: npm run build`)
  return fitting.core
}

function libtorch(): Libtorch {
  const { found } = locateLibtorch(searchContext([...addonFiles().cores.keys()]))
  if (found === null) throw new Error('libtorch was not found: npm run build')
  return found
}

/** Folder of the torch package that libtorch is a part of. */
export function torchFolder(): string {
  return libtorch().root
}

/**
 * What Python is started with, beside everything that is set here. Packages are installed without bytecode, because it
 * depends on the Python; compiled anew at every start, torch alone took 4 seconds.
 */
export function pythonEnvironment(packages: string): Readonly<Record<string, string>> {
  const bytecode = path.join(cacheFolder(searchContext([])), 'bytecode')
  return { PYTHONPATH: packages, PYTHONPYCACHEPREFIX: bytecode, PYTHONDONTWRITEBYTECODE: '' }
}

const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  spawnSync('python3', args, { encoding: 'utf8', env: { ...process.env, ...environment }, timeout: 240_000 })

/** '3.11' */
function version(): string {
  return run(['-c', 'import sys; print(".".join(map(str, sys.version_info[:2])))']).stdout.trim()
}

/**
 * Folder with the packages of requirement files, installed once into the user cache.
 *
 * @param alone files of packages that are installed without what they depend on
 */
export function installedPackages(file: string, ...alone: readonly string[]): string {
  return installed([file, ...alone], alone)
}

/** Folder with the packages of one file that names everything: nothing else is installed with them. */
export function installedExactly(file: string): string {
  return installed([file], [file])
}

function installed(files: readonly string[], alone: readonly string[]): string {
  const stamp = createHash('sha256')
  for (const one of files) stamp.update(readFileSync(one))
  const cache = cacheFolder(searchContext([]))
  const folder = path.join(cache, `python-${version()}-${stamp.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const temporary = mkdtempSync(`${folder}.part-`)
  try {
    for (const one of files) install(one, temporary, alone.includes(one) ? ['--no-deps'] : [])
    renameSync(temporary, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error // else another test installed it meanwhile
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return folder
}

function install(file: string, folder: string, options: readonly string[]): void {
  const { status, stderr } = run(
    [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--only-binary=:all:',
      '--no-compile',
      ...options,
      '--target',
      folder,
      '-r',
      file,
    ],
    { PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  )
  if (status !== 0) throw new Error(`pip could not install ${file}:\n${stderr}`)
}

function runner(folders: readonly string[]): Python {
  return (script, ...args) => {
    const { status, stdout, stderr, error } = run([path.join(here, script), ...args], {
      ...pythonEnvironment(folders.join(path.delimiter)),
      OMP_NUM_THREADS: '1',
    })
    if (status !== 0) throw new Error(`${script} failed: ${error?.message ?? stderr.slice(-3000)}`)
    return stdout
  }
}
