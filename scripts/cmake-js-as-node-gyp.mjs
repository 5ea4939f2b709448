#!/usr/bin/env node
// Stands in for node-gyp under prebuildify, which runs
//   <this> rebuild --target=20.19.0 --devdir=... --arch=x64 --release
// and then takes the .node and the .so files from build/Release of the working folder. Node-API and cmake-js make the
// target and the folder of headers needless; the versions of libtorch come in SPIKINGRX_VERSIONS, the default first.
import { copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFolderOf, buildNative, tagOf } from './build.mjs'

/** What prebuildify's arguments ask for; throws on what this build can't do. */
export function requestOf(args, versions) {
  if (args[0] !== 'rebuild') throw new Error(`expected prebuildify's "rebuild", got "${args.join(' ')}"`)
  const arch = args.find((one) => one.startsWith('--arch='))?.slice('--arch='.length) ?? process.arch
  if (arch !== process.arch)
    throw new Error(`libtorch is linked for this machine: --arch=${process.arch} only, not ${arch}`)
  if (args.includes('--debug')) throw new Error('prebuilt binaries are release builds: not --debug')
  const runtime = args.find((one) => one.startsWith('--runtime='))?.slice('--runtime='.length) ?? 'node'
  if (runtime !== 'node') throw new Error(`prebuilt binaries are for Node, not ${runtime}`)
  if (!versions) throw new Error('SPIKINGRX_VERSIONS names no version of libtorch, like 2.13.0,2.11.0')
  return versions.split(',')
}

/** What knows no libtorch: any build of it will do. */
const independent = ['spikingrx.node', 'spikingrx_kernels.so']

/** What is taken from the build with each version of libtorch. */
const artefacts = (version) => [`spikingrx.${tagOf(version)}.so`, `spikingrx_node.${tagOf(version)}.so`]

async function main() {
  const versions = requestOf(process.argv.slice(2), process.env.SPIKINGRX_VERSIONS)
  const output = path.resolve('build/Release')
  mkdirSync(output, { recursive: true })
  for (const version of versions) {
    await buildNative(version)
    const names = version === versions[0] ? [...independent, ...artefacts(version)] : artefacts(version)
    for (const name of names) copyFileSync(path.join(buildFolderOf(version), 'Release', name), path.join(output, name))
  }
  const cuda = new URL('./build-cuda.mjs', import.meta.url)
  if (existsSync(cuda)) await (await import(cuda.href)).buildCuda({ output: path.join(output, 'spikingrx_cuda.so') })
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main()
  } catch (error) {
    console.error(`cmake-js-as-node-gyp: ${error.message}`)
    process.exitCode = 1
  }
}
