// Where a build takes libtorch from: SPIKINGRX_LIBTORCH, else the user cache, which is filled from the Python package.
// libtorch is any folder with include/ and lib/; run by hand, this prints the folder.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'

export const version = '2.13.0'
const wheelPlatforms = { x64: 'manylinux_2_28_x86_64', arm64: 'manylinux_2_28_aarch64' }
const wheelIndex = 'https://download.pytorch.org/whl/cpu'

const cacheFolder = () => path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'spikingrx')

const isLibtorch = (folder) =>
  existsSync(path.join(folder, 'include/ATen/ATen.h')) && existsSync(path.join(folder, 'lib/libtorch_cpu.so'))

/** The folder of libtorch on this machine, or null: then `libtorch()` would fetch it. */
export function presentLibtorch() {
  const chosen = process.env.SPIKINGRX_LIBTORCH
  if (chosen) {
    const folder = [chosen, path.join(chosen, 'torch')].find(isLibtorch)
    if (!folder)
      throw new Error(`SPIKINGRX_LIBTORCH=${chosen} holds no include/ATen and lib/libtorch_cpu.so; correct or unset it`)
    return path.resolve(folder)
  }
  const cached = path.join(cacheFolder(), `libtorch-${version}-cpu`, 'torch')
  return isLibtorch(cached) ? cached : null
}

/** Ways to ask pip, tried in turn. The wheel is for one Python version, but only its libraries are wanted: any will do. */
function attempts(target) {
  const index = ['--extra-index-url', wheelIndex]
  const foreign = ['--python-version', '3.11', '--implementation', 'cp', '--platform', wheelPlatforms[process.arch]]
  return [[], index, foreign, [...foreign, ...index]].map((extra) => ({
    shown: ['pip install', ...extra, `torch==${version}+cpu`].join(' '),
    args: [
      ...['-m', 'pip', 'install', '--target', target, '--no-deps', '--no-compile', '--only-binary=:all:'],
      ...[...extra, `torch==${version}+cpu`],
    ],
  }))
}

/** Fills the cache: into a folder beside it first, so that an interrupted download leaves nothing half done. */
function fetchLibtorch(home) {
  if (process.platform !== 'linux' || !wheelPlatforms[process.arch])
    throw new Error(
      `libtorch is fetched on Linux x64 and arm64 only, this is ${process.platform} ${process.arch}: set SPIKINGRX_LIBTORCH to a folder that holds include/ and lib/`,
    )
  console.log(`libtorch ${version} (CPU): fetching the Python package into ${home} (about 200 MB, 700 MB unpacked)`)
  const began = Date.now()
  const refusals = []
  const temporary = mkdtempSync(`${home}.part-`)
  try {
    for (const { shown, args } of attempts(temporary)) {
      const result = spawnSync('python3', args, { encoding: 'utf8', stdio: ['ignore', 'inherit', 'pipe'] })
      if (result.status === 0 && isLibtorch(path.join(temporary, 'torch'))) {
        renameSync(temporary, home)
        console.log(`libtorch ${version}: ready after ${Math.round((Date.now() - began) / 1000)} s`)
        return
      }
      const reason = (result.stderr ?? '').trim().split('\n').at(-1) || `exit status ${result.status}`
      refusals.push(`  ${shown}\n    ${reason}`)
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  throw new Error(
    `libtorch ${version} could not be fetched. What was tried:\n${refusals.join('\n')}\n` +
      'Check the network and run `npm run build` again, or unpack libtorch (CPU, C++11 ABI) yourself and set SPIKINGRX_LIBTORCH to its folder.',
  )
}

/** The folder of libtorch, fetched if it is nowhere yet. */
export async function libtorch() {
  const present = presentLibtorch()
  if (present) return present
  const home = path.join(cacheFolder(), `libtorch-${version}-cpu`)
  mkdirSync(cacheFolder(), { recursive: true })
  await withLock(`${home}.lock`, () => {
    if (presentLibtorch()) return // whoever held the lock fetched it
    rmSync(home, { recursive: true, force: true })
    fetchLibtorch(home)
  })
  return path.join(home, 'torch')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await libtorch())
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
