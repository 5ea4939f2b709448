// Makes the companion package, libtorch's CPU libraries for npm: node scripts/pack-libtorch.mjs
//   build/libtorch-package/   the folder: packages/libtorch-cpu/, lib/, build-version, licences
//   dist-packages/*.tgz       packed from it
// In lib/ is what libtorch_cpu.so and libc10.so name as needed, and so on, without symbol tables; the rest of the Python
// package (its own part, tests, tools, headers) is left out. Nothing is packed that is larger than npm takes gladly.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { libtorch, libtorchVersions, neededBy } from './libtorch.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const template = path.join(root, 'packages/libtorch-cpu')
export const packageFolder = path.join(root, 'build/libtorch-package')
const packedFolder = path.join(root, 'dist-packages')

/** Largest packed size. */
const limit = 115e6

/** What every Linux with glibc and C++ programs has; libtorch's package leaves these to the system. */
const ofTheSystem = /^(lib(c|m|dl|pthread|rt|stdc\+\+|gcc_s)\.so(\.\d+)*|ld-linux-.*\.so\.\d+)$/

/** Names of the libraries that libtorch_cpu.so needs, itself included, as far as the system does not have them. */
export function librariesOf(folder) {
  const found = new Set()
  const wanted = ['libtorch_cpu.so', 'libc10.so']
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (found.has(name) || ofTheSystem.test(name)) continue
    const file = path.join(folder, name)
    if (!existsSync(file)) throw new Error(`${folder} lacks ${name}, which libtorch needs: not a whole CPU build`)
    found.add(name)
    wanted.push(...neededBy(file))
  }
  return [...found].sort()
}

/** What may be in the package, by path. */
const allowed = /^(lib\/lib[\w+.-]+\.so(\.\d+)?|licenses\/.+|package\.json|build-version|NOTICE|LICENSE|README\.md)$/

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status !== 0) throw new Error(`${command} ${args[0]}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
  return stdout
}

/** Licences of the Python package: its dist-info lies beside `torch/`. */
function copyLicences(torch, folder) {
  const home = path.dirname(torch)
  const information = readdirSync(home).find((name) => /^torch-.*\.dist-info$/.test(name))
  const licences = path.join(home, information ?? '', 'licenses')
  if (!information || !existsSync(path.join(licences, 'LICENSE')))
    throw new Error(`${home} holds no torch-*.dist-info/licenses/LICENSE: libtorch must not be passed on without`)
  copyFileSync(path.join(licences, 'LICENSE'), path.join(folder, 'LICENSE'))
  cpSync(licences, path.join(folder, 'licenses/pytorch'), {
    recursive: true,
    filter: (from) => path.basename(from) !== 'LICENSE' || path.dirname(from) !== licences,
  })
}

/** Fills `folder` from the `torch/` folder of a CPU build; gives the version, like '2.13.0'. */
export function assemble(torch, folder) {
  const build = /__version__ = '([^']+)'/.exec(readFileSync(path.join(torch, 'version.py'), 'utf8'))?.[1]
  if (!/^\d+\.\d+\.\d+(\+cpu)?$/.test(build ?? ''))
    throw new Error(`${torch} is libtorch ${build}, a CPU build is wanted`)
  const version = build.replace('+cpu', '')
  rmSync(folder, { recursive: true, force: true })
  cpSync(template, folder, { recursive: true })
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`)
  writeFileSync(path.join(folder, 'build-version'), `${build}\n`)
  copyLicences(torch, folder)
  mkdirSync(path.join(folder, 'lib'))
  for (const name of librariesOf(path.join(torch, 'lib')))
    run('strip', ['--strip-all', '-o', path.join(folder, 'lib', name), path.join(torch, 'lib', name)])
  return version
}

/** Packs `folder` into `destination` and gives npm's report of it. */
export function pack(folder, destination, largest = limit) {
  mkdirSync(destination, { recursive: true })
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
  const names = files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
  const strange = names.find((name) => !allowed.test(name))
  if (strange) throw new Error(`${strange} has no place in the package of libtorch`)
  const [report] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], { cwd: folder }),
  )
  const file = path.join(destination, report.filename)
  if (report.size <= largest) return { ...report, file }
  rmSync(file)
  throw new Error(`${report.filename} has ${megabytes(report.size)}, at most ${megabytes(largest)} are wanted`)
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`

export async function packLibtorch() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the package is made on Linux x64, this is ${process.platform} ${process.arch}`)
  const torch = await libtorch(libtorchVersions[0])
  const version = assemble(torch, packageFolder)
  const report = pack(packageFolder, packedFolder)
  for (const { path: name, size } of report.files)
    if (!name.startsWith('licenses/')) console.log(`${name.padEnd(24)} ${megabytes(size).padStart(9)}`)
  const licences = report.files.filter(({ path: name }) => name.startsWith('licenses/'))
  const bytes = licences.reduce((sum, { size }) => sum + size, 0)
  console.log(`${`licenses/ (${licences.length} files)`.padEnd(24)} ${megabytes(bytes).padStart(9)}`)
  console.log(`${report.name} ${version}: ${megabytes(report.size)} packed, ${megabytes(report.unpackedSize)} unpacked`)
  console.log(path.relative(root, report.file))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await packLibtorch()
  } catch (error) {
    console.error(`spikingrx pack:libtorch: ${error.message}`)
    process.exitCode = 1
  }
}
