// Where a build takes libtorch from: SPIKINGRX_LIBTORCH, else the user cache, which is filled from the Python package.
// libtorch is any folder with include/ and lib/. By hand: node scripts/libtorch.mjs [version] prints the folder.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'

/** The versions of libtorch that cores are built for, one of each minor; the first is the default. */
export const libtorchVersions = ['2.13.0', '2.11.0']

const wheelPlatforms = { x64: 'manylinux_2_28_x86_64', arm64: 'manylinux_2_28_aarch64' }
const wheelIndex = 'https://download.pytorch.org/whl/cpu'

/** '2.13.0' -> '2.13' */
export const minorOf = (version) => version.split('.').slice(0, 2).join('.')

const cacheFolder = () => path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'spikingrx')
const homeOf = (version) => path.join(cacheFolder(), `libtorch-${version}-cpu`)

const isLibtorch = (folder) =>
  existsSync(path.join(folder, 'include/ATen/ATen.h')) && existsSync(path.join(folder, 'lib/libtorch_cpu.so'))

/** The header that names libtorch's version. */
export const versionHeader = (folder) => readFileSync(path.join(folder, 'include/torch/headeronly/version.h'), 'utf8')

function minorOfFolder(folder) {
  const [, major, minor] = /VERSION_MAJOR (\d+)[\s\S]*VERSION_MINOR (\d+)/.exec(versionHeader(folder)) ?? []
  return `${major}.${minor}`
}

/** The folder that SPIKINGRX_LIBTORCH names, or null where it is not set. */
function chosenLibtorch() {
  const chosen = process.env.SPIKINGRX_LIBTORCH
  if (!chosen) return null
  const folder = [chosen, path.join(chosen, 'torch')].find(isLibtorch)
  if (!folder)
    throw new Error(`SPIKINGRX_LIBTORCH=${chosen} holds no include/ATen and lib/libtorch_cpu.so; correct or unset it`)
  return path.resolve(folder)
}

/**
 * The folder of libtorch on this machine, or null: then `libtorch()` would fetch it. With a version, one of that minor;
 * without, whatever SPIKINGRX_LIBTORCH names, else the default version.
 */
export function presentLibtorch(version) {
  const chosen = chosenLibtorch()
  if (chosen && (!version || minorOf(version) === minorOfFolder(chosen))) return chosen
  const cached = path.join(homeOf(version ?? libtorchVersions[0]), 'torch')
  return isLibtorch(cached) ? cached : null
}

const pip = (target, args, stdout) =>
  spawnSync(
    'python3',
    ['-m', 'pip', 'install', '--target', target, '--no-compile', '--only-binary=:all:', '--upgrade', ...args],
    { encoding: 'utf8', stdio: ['ignore', stdout, 'pipe'] },
  )

const lastLine = (result) => (result.stderr ?? '').trim().split('\n').at(-1) || `exit status ${result.status}`

/**
 * What to ask pip for, in turn: the CPU build, then the plain one, which is built for CUDA where there is no CPU build
 * on the Python index. A wheel is for one Python version, but only its libraries are wanted: any will do.
 */
function attempts(version) {
  const index = ['--extra-index-url', wheelIndex]
  const foreign = ['--python-version', '3.11', '--implementation', 'cp', '--platform', wheelPlatforms[process.arch]]
  const cpu = [[], index, foreign, [...foreign, ...index]].map((extra) => [...extra, `torch==${version}+cpu`])
  const plain = [[], foreign].map((extra) => [...extra, `torch==${version}`])
  return [...cpu, ...plain]
}

/** Libraries that `library` names as needed. */
export function neededBy(library) {
  const { stdout } = spawnSync('readelf', ['-dW', library], { encoding: 'utf8' })
  return Array.from((stdout ?? '').matchAll(/\(NEEDED\).*\[(.+)\]/g), ([, name]) => name)
}

/**
 * Makes a CPU libtorch of the CUDA build: without the CUDA libraries and Python's part, but with libcudart and libcupti,
 * which its libtorch_cpu.so needs even so; they lie where its RPATH looks, in `nvidia/` beside `torch/`.
 */
function withoutCuda(home) {
  const remove = (folder, unwanted) => {
    for (const name of readdirSync(folder).filter(unwanted)) rmSync(path.join(folder, name), { recursive: true })
  }
  const libraries = path.join(home, 'torch/lib')
  remove(libraries, (name) => /^lib(torch_cuda|c10_cuda|torch_nvshmem|caffe2_nvrtc|torch_python|torch\.so)/.test(name))
  remove(path.join(home, 'torch'), (name) => !['include', 'lib', 'version.py'].includes(name))
  remove(home, (name) => ['bin', 'functorch', 'torchgen'].includes(name))
  if (!neededBy(path.join(libraries, 'libtorch_cpu.so')).some((name) => name.startsWith('libcudart'))) return
  const metadata = readdirSync(home).find((name) => /^torch-.*\.dist-info$/.test(name))
  const wanted = /^Requires-Dist: cuda-toolkit\[.*?\](==[\d.]+)/m.exec(
    readFileSync(path.join(home, metadata, 'METADATA'), 'utf8'),
  )
  if (!wanted) throw new Error(`the package of libtorch names no cuda-toolkit, but its libtorch_cpu.so needs libcudart`)
  const result = pip(home, [`cuda-toolkit[cudart,cupti]${wanted[1]}`], 'ignore')
  if (result.status !== 0) throw new Error(lastLine(result))
}

/** Fills the cache: into a folder beside it first, so that an interrupted download leaves nothing half done. */
function fetchLibtorch(version, home) {
  if (process.platform !== 'linux' || !wheelPlatforms[process.arch])
    throw new Error(
      `libtorch is fetched on Linux x64 and arm64 only, this is ${process.platform} ${process.arch}: set SPIKINGRX_LIBTORCH to a folder that holds include/ and lib/`,
    )
  console.log(`libtorch ${version} (CPU): fetching the Python package into ${home} (200 to 550 MB, 700 MB unpacked)`)
  const began = Date.now()
  const refusals = []
  const temporary = mkdtempSync(`${home}.part-`)
  try {
    for (const args of attempts(version)) {
      const result = pip(temporary, ['--no-deps', ...args], 'inherit')
      try {
        if (result.status !== 0) throw new Error(lastLine(result))
        if (!isLibtorch(path.join(temporary, 'torch'))) throw new Error('the package holds no libtorch with headers')
        if (existsSync(path.join(temporary, 'torch/lib/libtorch_cuda.so'))) withoutCuda(temporary)
        renameSync(temporary, home)
        console.log(`libtorch ${version}: ready after ${Math.round((Date.now() - began) / 1000)} s`)
        return
      } catch (error) {
        refusals.push(`  pip install ${args.join(' ')}\n    ${error.message}`)
      }
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  throw new Error(
    `libtorch ${version} could not be fetched. What was tried:\n${refusals.join('\n')}\n` +
      'Check the network and run `npm run build` again, or unpack libtorch (CPU, C++11 ABI) yourself and set SPIKINGRX_LIBTORCH to its folder.',
  )
}

/** The folder of libtorch, fetched if it is nowhere yet; `version` as for {@link presentLibtorch}. */
export async function libtorch(version) {
  const present = presentLibtorch(version)
  if (present) return present
  const home = homeOf(version ?? libtorchVersions[0])
  mkdirSync(cacheFolder(), { recursive: true })
  await withLock(`${home}.lock`, () => {
    if (presentLibtorch(version)) return // whoever held the lock fetched it
    rmSync(home, { recursive: true, force: true })
    fetchLibtorch(version ?? libtorchVersions[0], home)
  })
  return path.join(home, 'torch')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await libtorch(process.argv[2]))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
