// npm's `prepack`, before `npm pack` and `npm publish` in a checkout: builds dist/ and refuses a package that is not
// whole. Native code is never built here: `npm run prebuild` does that.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { tagOf } from './build.mjs'
import { buildTypeScript } from './build-typescript.mjs'
import { libtorchVersions } from './libtorch.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** Native files of a release, beside the loader: kernels, a core and a binding for each libtorch minor, the CUDA kernels. */
export function nativeFiles(versions) {
  const cores = versions.flatMap((version) => [`spikingrx.${tagOf(version)}.so`, `spikingrx_node.${tagOf(version)}.so`])
  return [...cores, 'spikingrx_kernels.so', 'spikingrx_cuda.so']
}

/** The version of the newest section of a changelog: 'Unreleased' or like '0.2.0'. */
export function newestSection(changelog) {
  return /^## \[([^\]]+)\]/m.exec(changelog)?.[1]
}

/** What keeps the checkout in `folder` from being packed, one sentence each. */
export function packObstacles(folder) {
  const place = path.join(folder, 'prebuilds/linux-x64')
  const absent = nativeFiles(libtorchVersions).filter((file) => !existsSync(path.join(place, file)))
  return absent.length > 0 ? [`prebuilds/linux-x64 lacks ${absent.join(', ')}: run \`npm run prebuild\``] : []
}

/** What keeps it from being published. */
export function publishObstacles(folder) {
  const { version, repository } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const newest = newestSection(readFileSync(path.join(folder, 'CHANGELOG.md'), 'utf8'))
  const found = []
  if (newest !== version) found.push(`CHANGELOG.md begins with [${newest}], package.json says ${version}`)
  if (!repository) found.push('package.json names no repository, which provenance needs')
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log = console.error // `npm pack --json` speaks on standard output
    await buildTypeScript()
    const publish = process.env.npm_command === 'publish'
    const found = [...packObstacles(root), ...(publish ? publishObstacles(root) : [])]
    if (found.length > 0) throw new Error(`${found.join('; ')} (docs/releasing.md)`)
  } catch (error) {
    console.error(`spikingrx pack: ${error.message}`)
    process.exitCode = 1
  }
}
