// The CUDA kernels: node scripts/build-cuda.mjs [--output FILE] [--build FOLDER] [--architectures 90,120]
//   native/cuda through its own CMake into build/cuda, checked, then build/Release/spikingrx_cuda.so
// Where there is no nvcc, one line says so and nothing is built: everything else works without.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { pluginFacts, pluginFaults } from './check-plugin.mjs'
import { libtorch } from './libtorch.mjs'
import { ask } from './toolchain.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const name = 'spikingrx_cuda.so'

/** The nvcc of this machine, or null: CUDACXX, the search path, CUDA_HOME or else the usual folder. */
export function findNvcc(environment = process.env) {
  const toolkit = environment.CUDA_HOME || environment.CUDA_PATH || '/usr/local/cuda'
  const candidates = [environment.CUDACXX, 'nvcc', path.join(toolkit, 'bin/nvcc')]
  return candidates.find((nvcc) => nvcc && ask(nvcc, ['--version']) !== null) ?? null
}

/** '13.0' */
function nvccVersion(nvcc) {
  const { stdout } = spawnSync(nvcc, ['--version'], { encoding: 'utf8' })
  return /release (\d+\.\d+)/.exec(stdout)?.[1] ?? '0.0'
}

function run(what, command, args, environment = {}) {
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...environment } }
  const { status, error } = spawnSync(command, args, options)
  if (status !== 0) throw new Error(`CUDA plugin: ${what} failed${error ? `: ${error.message}` : ''}`)
}

const skip = (reason) => {
  console.log(`CUDA plugin: skipped, ${reason}`)
  return null
}

/**
 * Builds the plugin and checks what it needs, exports and holds.
 *
 * `output`: where to, a file (`.so`) or a folder. `build`: where CMake works. `architectures`: like ['90', '120']; default
 * all that a release has. Returns the file, or null where nvcc is missing.
 */
export async function buildCuda({
  output = path.join(root, 'build/Release'),
  build = path.join(root, 'build/cuda'),
  architectures = [],
} = {}) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return skip(`it is built on Linux x64, this is ${process.platform} ${process.arch}`)
  const nvcc = findNvcc()
  if (nvcc === null)
    return skip('nvcc was not found (install the CUDA toolkit 12.8 or newer, or set CUDACXX to its nvcc)')
  const version = nvccVersion(nvcc)
  if (Number(version) < 12) return skip(`${nvcc} is of CUDA ${version}, 12.0 or newer is wanted`)
  const folder = await libtorch()
  const began = Date.now()
  const generator = ask('ninja', ['--version']) === null ? [] : ['-G', 'Ninja']
  const settings = [
    `-DSPIKINGRX_LIBTORCH=${folder}`,
    `-DSPIKINGRX_CUDA_ARCHITECTURES=${architectures.join(';')}`,
    '-DCMAKE_BUILD_TYPE=Release',
  ]
  console.log(`CUDA plugin: building with ${nvcc} (CUDA ${version}) and the headers in ${folder}`)
  run('configure', 'cmake', ['-S', path.join(root, 'native/cuda'), '-B', build, ...generator, ...settings], {
    CUDACXX: nvcc,
  })
  run('build', 'cmake', ['--build', build, '--parallel', String(os.availableParallelism())])
  const built = path.join(build, name)
  const facts = pluginFacts(built)
  const faults = pluginFaults(facts)
  if (faults.length > 0) throw new Error(`CUDA plugin: ${faults.join('\n  ')}`)
  const target = output.endsWith('.so') ? output : path.join(output, name)
  mkdirSync(path.dirname(target), { recursive: true })
  copyFileSync(built, `${target}.part`) // a process that has the old one mapped keeps it
  renameSync(`${target}.part`, target)
  const size = (statSync(target).size / 1e6).toFixed(2)
  const seconds = ((Date.now() - began) / 1000).toFixed(0)
  console.log(`CUDA plugin: ${target}, ${size} MB, ${facts.images.join(' ')}, after ${seconds} s`)
  return target
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const text = { type: 'string' }
    const { values } = parseArgs({ options: { output: text, build: text, architectures: text } })
    const at = (place) => (place === undefined ? undefined : path.resolve(place))
    await buildCuda({
      output: at(values.output),
      build: at(values.build),
      architectures: values.architectures?.split(','),
    })
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
