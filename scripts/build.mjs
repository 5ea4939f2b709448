// Builds the package: node scripts/build.mjs [--native] [--typescript]   (neither: both)
//   native      libtorch, then CMake through cmake-js into build/ (Ninja where present, ccache where present);
//               a core for another minor of libtorch, for scripts/prebuild.mjs, goes into build/tNNN/
//   typescript  lib/ into dist/
// Both are incremental: with nothing changed a run takes seconds.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildTypeScript } from './build-typescript.mjs'
import { libtorch, libtorchVersions, minorOf, presentLibtorch, versionHeader } from './libtorch.mjs'
import { withLock } from './lock.mjs'
import { ask, missingTools } from './toolchain.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

/** '2.13.0' -> 't213', as in the names of the native files. */
export const tagOf = (version) => `t${minorOf(version).replace('.', '')}`

/** Where CMake builds with a version of libtorch; without one, or with the default: build/. Binaries are in Release/. */
export function buildFolderOf(version = libtorchVersions[0]) {
  return path.join(root, 'build', version === libtorchVersions[0] ? '' : tagOf(version))
}

/** A build step that failed after it printed why. */
export class BuildError extends Error {}

function run(what, command, args) {
  const began = Date.now()
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new BuildError(`${what} failed${error ? `: ${error.message}` : ''}`)
  console.log(`${what}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`)
}

/** A file that a package ships: `packageFile('cmake-js', 'bin/cmake-js')`. */
function packageFile(name, file) {
  try {
    return path.join(path.dirname(require.resolve(`${name}/package.json`)), file)
  } catch {
    throw new BuildError(`${name} is not installed: npm install --include=dev`)
  }
}

/** The settings CMake was last configured with, by name. */
function cmakeCache(buildFolder) {
  const file = path.join(buildFolder, 'CMakeCache.txt')
  if (!existsSync(file)) return null
  const lines = readFileSync(file, 'utf8').matchAll(/^(\w+):\w+=(.*)$/gm)
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name, value]))
}

/**
 * Configures when a setting differs from CMake's cache, or libtorch is another at the same place; CMake itself notices
 * changed CMakeLists.txt and new files.
 */
function configure(buildFolder, folder, cmakeJs) {
  const stamp = path.join(buildFolder, 'libtorch-version.h')
  const generator = ask('ninja', ['--version']) === null ? 'Unix Makefiles' : 'Ninja'
  const launcher = ask('ccache', ['--version']) === null ? '' : 'ccache'
  const settings = { SPIKINGRX_LIBTORCH: folder, CMAKE_BUILD_TYPE: 'Release', CMAKE_CXX_COMPILER_LAUNCHER: launcher }
  const cache = cmakeCache(buildFolder)
  const moved = cache && (cache.CMAKE_HOME_DIRECTORY !== root || cache.CMAKE_GENERATOR !== generator)
  const replaced = existsSync(stamp) && readFileSync(stamp, 'utf8') !== versionHeader(folder)
  if (moved || replaced) {
    console.log(`native: ${replaced ? 'another libtorch' : 'another checkout or generator'}, building afresh`)
    rmSync(buildFolder, { recursive: true, force: true })
  }
  const same = (name) => (cache?.[name] ?? '') === settings[name]
  if (cache?.CMAKE_JS_INC && !moved && !replaced && Object.keys(settings).every(same)) return
  const definitions = Object.entries(settings).map(([name, value]) => `--CD${name}=${value}`)
  run('native: configure', process.execPath, [...cmakeJs, '-G', generator, ...definitions, 'configure'])
  mkdirSync(buildFolder, { recursive: true })
  writeFileSync(stamp, versionHeader(folder))
}

/** With a version of libtorch: that one, into `buildFolderOf(version)`; without: the one a checkout runs with, into build/. */
export async function buildNative(version) {
  const missing = missingTools({ python: presentLibtorch(version) === null })
  if (missing.length > 0) throw new BuildError(`the build needs:\n${missing.map((line) => `  - ${line}`).join('\n')}`)
  const folder = await libtorch(version)
  console.log(`native: building with libtorch in ${folder}`)
  const buildFolder = buildFolderOf(version)
  const cmakeJs = [packageFile('cmake-js', 'bin/cmake-js'), '-l', 'warn', '-O', buildFolder]
  // About 1.5 GB for a compiler with libtorch's headers.
  const jobs = Math.max(1, Math.min(os.availableParallelism(), Math.floor(os.totalmem() / 1.5e9)))
  await withLock(path.join(root, 'node_modules/.cache/spikingrx-build.lock'), () => {
    configure(buildFolder, folder, cmakeJs)
    // `build`, not `compile`: that one answers an error in one file by building everything twice.
    run('native: build', process.execPath, [...cmakeJs, '-p', String(jobs), 'build'])
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv.slice(2)
  const unknown = only.find((option) => option !== '--native' && option !== '--typescript')
  try {
    if (unknown) throw new BuildError(`unknown option ${unknown}: --native, --typescript or nothing`)
    if (only.length === 0 || only.includes('--native')) await buildNative()
    if (only.length === 0 || only.includes('--typescript')) await buildTypeScript()
  } catch (error) {
    console.error(`spikingrx build: ${error.message}`)
    process.exitCode = 1
  }
}
