// The package as a user gets it: packed from this checkout and installed into an empty folder outside it.
//
//   <temporary folder>/spikingrx-packed-<checkout>-<content>/
//     spikingrx-<version>.tgz, pack.json     what `npm pack` made, and what it says is inside
//     project/node_modules/                  the tarball installed without scripts, compiler or Python
//     companion/                             stands for @spikingrx/libtorch-cpu-linux-x64: links to the libtorch of the build
//     nvidia/                                where the libraries of a CUDA build look for NVIDIA's, if it is one
//     bin/                                   a PATH with node and npm and nothing else
//
// Kept until something that goes in changes; the tests in test/package and `npm run figures` share it. SPIKINGRX_TARBALL
// names a tarball to take instead of packing the checkout: CI tests the very file that it publishes.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildTypeScript } from './build-typescript.mjs'
import { presentLibtorch } from './libtorch.mjs'
import { withLock } from './lock.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const platform = `${process.platform}-${process.arch}`
const run = promisify(execFile)
const hash = (...parts) =>
  parts
    .reduce((sum, part) => sum.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 12)

export const companionName = `@spikingrx/libtorch-cpu-${platform}`

/** Prebuilt native files where they are as new as the local build, else the local build: what a release would ship. */
export function nativeFolder() {
  const [shipped, built] = [path.join(root, 'prebuilds', platform), path.join(root, 'build/Release')]
  const newest = (folder) =>
    Math.max(
      0,
      ...(existsSync(folder) ? readdirSync(folder) : []).map((file) => statSync(path.join(folder, file)).mtimeMs),
    )
  if (process.env.PREBUILDS_ONLY) return shipped
  if (newest(shipped) === 0 && newest(built) === 0) throw new Error('nothing is built: run `npm run build`')
  return newest(shipped) >= newest(built) ? shipped : built
}

/** The file that SPIKINGRX_TARBALL names, or null where it is not set. */
function givenTarball() {
  const file = process.env.SPIKINGRX_TARBALL
  if (!file) return null
  if (!existsSync(file)) throw new Error(`SPIKINGRX_TARBALL=${file} does not exist; correct or unset it`)
  return path.resolve(file)
}

const nativeFiles = (folder) => readdirSync(folder).filter((file) => /^spikingrx.*\.(node|so)$/.test(file))

/** Names and contents of what goes in: another hash is another package. */
function content(native, libtorch) {
  const texts = [
    'package.json',
    'tsconfig.json',
    'README.md',
    'CHANGELOG.md',
    'scripts/build-typescript.mjs',
    'scripts/packed.mjs',
  ]
  const inside = (folder, ending) =>
    readdirSync(path.join(root, folder), { recursive: true })
      .filter((file) => file.endsWith(ending))
      .map((file) => path.join(folder, file))
  const files = [...texts, ...inside('lib', '.ts'), ...inside('models', '.safetensors')].sort()
  const binaries = nativeFiles(native).map((file) => {
    const { size, mtimeMs } = statSync(path.join(native, file))
    return `${native}/${file} ${size} ${mtimeMs}\n`
  })
  return hash(libtorch, ...files.flatMap((file) => [file, readFileSync(path.join(root, file))]), ...binaries)
}

/** The files of the package in a folder of their own; a local build is stripped and named as prebuildify names it. */
async function stage(folder, native) {
  for (const file of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    await cp(path.join(root, file), path.join(folder, file))
  await cp(path.join(root, 'models'), path.join(folder, 'models'), { recursive: true })
  await buildTypeScript(path.join(folder, 'dist'))
  const place = path.join(folder, 'prebuilds', platform)
  await mkdir(place, { recursive: true })
  const local = native.endsWith('Release')
  for (const file of nativeFiles(native)) {
    const copy = path.join(place, local ? file.replace(/^spikingrx\.node$/, 'spikingrx.glibc.node') : file)
    await cp(path.join(native, file), copy)
    if (local) await run('strip', ['--strip-unneeded', copy]).catch(() => {})
  }
  return folder
}

/** PATH for children: node and npm, no compiler, no Python. */
async function toolFolder(folder) {
  await mkdir(folder)
  await symlink(process.execPath, path.join(folder, 'node'))
  const beside = path.join(path.dirname(process.execPath), 'npm')
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : realpathSync(beside)
  await symlink(npm, path.join(folder, 'npm'))
}

/** npm's settings of this machine (registry, cache), but an empty HOME and the PATH of `bin`. */
export function npmEnvironment(folder) {
  const home = os.homedir()
  return {
    npm_config_userconfig: path.join(home, '.npmrc'),
    npm_config_cache: path.join(home, '.npm'),
    ...process.env,
    SPIKINGRX_SKIP_BUILD: undefined,
    npm_config_global: undefined,
    HOME: path.join(folder, 'home'),
    PATH: path.join(folder, 'bin'),
  }
}

async function npm(folder, cwd, args) {
  const { stdout } = await run('npm', args, { cwd, env: npmEnvironment(folder), maxBuffer: 1 << 26 })
  return stdout
}

/** Installs tarballs or folders into `project`, without scripts. */
export async function install(folder, project, packages) {
  const args = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await npm(folder, project, [...args, ...packages])
}

async function standInForCompanion(folder, libtorch) {
  await mkdir(path.join(folder, 'lib'), { recursive: true })
  await cp(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'))
  const [version] = /\d\S+(?=')/.exec(readFileSync(path.join(libtorch, 'version.py'), 'utf8')) ?? ['']
  await writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: companionName, version: version.split('+')[0] }),
  )
  await writeFile(path.join(folder, 'build-version'), `${version}\n`)
  for (const file of readdirSync(path.join(libtorch, 'lib')).filter((name) =>
    /^lib(c10|torch_cpu|gomp).*\.so/.test(name),
  ))
    await symlink(path.join(libtorch, 'lib', file), path.join(folder, 'lib', file))
  // $ORIGIN/../../nvidia: even the CPU half of a CUDA build is linked with some of them.
  const nvidia = path.join(libtorch, '../nvidia')
  if (existsSync(nvidia)) await symlink(nvidia, path.join(folder, '../nvidia'))
}

async function make(folder, native, libtorch) {
  await chmod(folder, 0o755)
  await toolFolder(path.join(folder, 'bin'))
  for (const name of ['home', 'stage', 'project']) await mkdir(path.join(folder, name))
  // Scripts off: `prepack` would build and judge the checkout's own prebuilds/.
  const what = givenTarball() ?? (await stage(path.join(folder, 'stage'), native))
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, what]
  const [manifest] = JSON.parse(await npm(folder, folder, args))
  await writeFile(path.join(folder, 'pack.json'), JSON.stringify(manifest))
  await rm(path.join(folder, 'stage'), { recursive: true, force: true })
  await writeFile(path.join(folder, 'project/package.json'), '{ "private": true }\n')
  await install(folder, path.join(folder, 'project'), [path.join(folder, manifest.filename)])
  await standInForCompanion(path.join(folder, 'companion'), libtorch)
}

/** The packed and installed package of this checkout as it is now. */
export async function packed() {
  const libtorch = presentLibtorch()
  if (!libtorch) throw new Error('libtorch is not here: run `npm run build`')
  const given = givenTarball()
  const native = given ? null : nativeFolder()
  const mine = `spikingrx-packed-${hash(root)}-`
  const folder = path.join(
    os.tmpdir(),
    mine + (given ? hash(libtorch, readFileSync(given)) : content(native, libtorch)),
  )
  await withLock(path.join(os.tmpdir(), `${mine}.lock`), async () => {
    if (existsSync(folder)) return
    for (const name of readdirSync(os.tmpdir()).filter((one) => one.startsWith(mine) && !one.endsWith('.lock'))) {
      const old = path.join(os.tmpdir(), name)
      const unused = Date.now() - statSync(old).mtimeMs > 3600_000 // else another run may be at work in it
      if (unused) await rm(old, { recursive: true, force: true })
    }
    const temporary = await mkdtemp(path.join(os.tmpdir(), `${mine}part-`))
    try {
      await make(temporary, native, libtorch)
      await rename(temporary, folder)
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  })
  const manifest = JSON.parse(await readFile(path.join(folder, 'pack.json'), 'utf8'))
  const at = (name) => path.join(folder, name)
  return {
    folder,
    manifest,
    tarball: at(manifest.filename),
    project: at('project'),
    companion: at('companion'),
    nvidia: existsSync(at('nvidia')) ? realpathSync(at('nvidia')) : null,
    bin: at('bin'),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log((await packed()).folder)
