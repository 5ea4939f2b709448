// npm's `prepack`, before `npm pack` and `npm publish` in a checkout: builds dist/ and refuses a package that is not
// whole. Native code is never built here: `npm run prebuild` does that.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { tagOf } from './build.mjs'
import { buildTypeScript } from './build-typescript.mjs'
import { libtorchVersions } from './libtorch.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** Native files of a release, beside the loader: a core and a binding for each libtorch minor, and the CUDA kernels. */
export function nativeFiles(versions) {
  const tags = versions.map(tagOf)
  return [...tags.flatMap((tag) => [`spikingrx.${tag}.so`, `spikingrx_node.${tag}.so`]), 'spikingrx_cuda.so']
}

/** The version of the newest section of a changelog: 'Unreleased' or like '0.2.0'. */
export function newestSection(changelog) {
  return /^## \[([^\]]+)\]/m.exec(changelog)?.[1]
}

/** What keeps `folder` from being packed (and, with `publish`, published), one sentence each. */
export function obstacles(folder, { versions, publish }) {
  const place = path.join(folder, 'prebuilds/linux-x64')
  const absent = nativeFiles(versions).filter((file) => !existsSync(path.join(place, file)))
  const found = []
  if (absent.length > 0) found.push(`prebuilds/linux-x64 lacks ${absent.join(', ')}: run \`npm run prebuild\``)
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const newest = newestSection(readFileSync(path.join(folder, 'CHANGELOG.md'), 'utf8'))
  if (publish && newest !== version)
    found.push(`CHANGELOG.md begins with [${newest}], package.json says ${version}: see docs/releasing.md`)
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log = console.error // `npm pack --json` speaks on standard output
    await buildTypeScript()
    const found = obstacles(root, {
      versions: libtorchVersions,
      publish: process.env.npm_command === 'publish',
    })
    if (found.length > 0) throw new Error(found.join('; '))
  } catch (error) {
    console.error(`spikingrx pack: ${error.message}`)
    process.exitCode = 1
  }
}
