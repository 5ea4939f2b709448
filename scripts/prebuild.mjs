// Makes what a release ships: node scripts/prebuild.mjs [--minors 2.13,2.11]   (default: all of libtorch.mjs)
//   prebuilds/linux-x64/  the loader, the kernels, a core and a binding for each minor of libtorch, the CUDA plugin where nvcc is
// prebuildify names and strips; the build itself is the incremental one of scripts/build.mjs, in build/ and build/tNNN/,
// so that a second run takes seconds. The folder is replaced only by one that passed scripts/check-binaries.mjs.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildFolderOf } from './build.mjs'
import { checkBinaries } from './check-binaries.mjs'
import { libtorchVersions, minorOf } from './libtorch.mjs'
import { withLock } from './lock.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const platform = `${process.platform}-${process.arch}`
export const prebuiltFolder = path.join(root, 'prebuilds', platform)

/** Hash of what a core and its binding are compiled from. */
function sourcesHash() {
  const native = path.join(root, 'native')
  const files = readdirSync(native, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !/^(test|bench|cuda)\//.test(path.relative(native, file)))
  const hash = createHash('sha256')
  for (const file of [path.join(root, 'CMakeLists.txt'), ...files.sort()]) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

const stampOf = (version) => path.join(buildFolderOf(version), 'prebuilt-from.sha256')

/** The default version and those others that are built from the sources as they are now: a prebuild of them is quick. */
export function currentVersions() {
  const sources = sourcesHash()
  const isCurrent = (version) => existsSync(stampOf(version)) && readFileSync(stampOf(version), 'utf8') === sources
  return libtorchVersions.filter((version, i) => i === 0 || isCurrent(version))
}

/** Versions for `--minors 2.13,2.11`. */
export function versionsOf(minors) {
  return minors.split(',').map((minor) => {
    const version = libtorchVersions.find((one) => minorOf(one) === minor)
    if (version) return version
    throw new Error(
      `--minors ${minor}: supported are ${libtorchVersions.map(minorOf).join(', ')} (scripts/libtorch.mjs)`,
    )
  })
}

/** `portable: false`: for this machine's tests, not for a release; see checkBinaries. */
export async function prebuild({ versions = libtorchVersions, portable = true } = {}) {
  if (process.platform !== 'linux') throw new Error(`prebuilt binaries are made on Linux, this is ${process.platform}`)
  const began = Date.now()
  const staging = path.join(root, 'build/prebuild')
  await withLock(path.join(root, 'node_modules/.cache/spikingrx-prebuild.lock'), async () => {
    const sources = sourcesHash()
    rmSync(staging, { recursive: true, force: true })
    mkdirSync(staging, { recursive: true })
    process.env.SPIKINGRX_VERSIONS = versions.join(',')
    await promisify(createRequire(import.meta.url)('prebuildify'))({
      cwd: staging,
      name: 'spikingrx',
      napi: true,
      targets: ['node@20.19.0'],
      strip: true,
      tagLibc: true, // never to be taken on musl, for which there is no libtorch
      nodeGyp: fileURLToPath(new URL('./cmake-js-as-node-gyp.mjs', import.meta.url)),
    })
    const made = path.join(staging, 'prebuilds', platform)
    checkBinaries(made, { portable })
    rmSync(prebuiltFolder, { recursive: true, force: true })
    mkdirSync(path.dirname(prebuiltFolder), { recursive: true })
    renameSync(made, prebuiltFolder)
    for (const version of versions) writeFileSync(stampOf(version), sources)
  })
  const made = `prebuilds/${platform}: libtorch ${versions.map(minorOf).join(' and ')}`
  console.log(`${made}, after ${((Date.now() - began) / 1000).toFixed(1)} s`)
}

/** npm runs a script named `prebuild` before `build` as well; nobody who asks for a build means a release. */
function isHookOfBuild() {
  if (process.env.npm_lifecycle_event !== 'prebuild') return false
  if (process.platform !== 'linux') return true // where it can't be told, and nothing could be made
  for (let pid = process.ppid, depth = 0; pid > 1 && depth < 3; depth++) {
    if (/^npm (run|run-script) build\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return true
    pid = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  }
  return false
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !isHookOfBuild()) {
  const [option, minors, ...rest] = process.argv.slice(2)
  try {
    if (option !== undefined && (option !== '--minors' || !minors || rest.length > 0))
      throw new Error(`unknown option ${option}: --minors 2.13,2.11 or nothing`)
    await prebuild(minors ? { versions: versionsOf(minors) } : {})
  } catch (error) {
    console.error(`spikingrx prebuild: ${error.message}`)
    process.exitCode = 1
  }
}
