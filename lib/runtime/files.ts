import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SpikingRxError } from '../errors.js'
import { platformErrorOr } from './platform.js'

/** The package's own folder: the nearest one above this file with a package.json, from lib/runtime/ as from a chunk of dist/. */
export const packageFolder: string = folderWithPackage(path.dirname(fileURLToPath(import.meta.url)))

function folderWithPackage(folder: string): string {
  const above = path.dirname(folder)
  return existsSync(path.join(folder, 'package.json')) || above === folder ? folder : folderWithPackage(above)
}

/** The package's version. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')).version
}

/** The native files, built here (build/Release) or shipped (prebuilds/<platform>-<arch>); a local build wins. */
export interface AddonFiles {
  /** The only `.node`: opens libraries, links no libtorch. */
  readonly loader: string
  /** Kernels that need no libtorch, shared by the cores; a core that needs them and finds none says so when it is opened. */
  readonly kernels: string | null
  /** By minor version of libtorch ('2.13'): what computes, and the Node-API binding over it. */
  readonly cores: ReadonlyMap<string, { readonly core: string; readonly binding: string }>
  /** CUDA kernels, where built. */
  readonly plugin: string | null
}

/**
 * @throws SpikingRxError `ERR_ADDON_NOT_FOUND` when nothing is built or shipped for this platform, `ERR_PLATFORM` when the
 * reason is musl or an old glibc
 */
export function addonFiles(folder: string = packageFolder): AddonFiles {
  const { resolve } = createRequire(import.meta.url)('node-gyp-build') as { resolve(folder: string): string }
  let loader: string
  try {
    loader = resolve(folder)
  } catch (cause) {
    const error = new SpikingRxError(
      `No native addon for ${process.platform} ${process.arch} in ${folder}: run \`npm run build\` in a checkout, or install a release that ships one`,
      'ERR_ADDON_NOT_FOUND',
      { folder },
      cause,
    )
    throw platformErrorOr(error)
  }
  const place = path.dirname(loader)
  const cores = new Map<string, { core: string; binding: string }>()
  for (const name of readdirSync(place).sort()) {
    const tag = /^spikingrx_node\.t(\d)(\d+)\.so$/.exec(name)
    if (!tag) continue
    const core = path.join(place, `spikingrx.t${tag[1]}${tag[2]}.so`)
    if (existsSync(core)) cores.set(`${tag[1]}.${tag[2]}`, { core, binding: path.join(place, name) })
  }
  const plugin = path.join(place, 'spikingrx_cuda.so')
  const kernels = path.join(place, 'spikingrx_kernels.so')
  const present = (file: string) => (existsSync(file) ? file : null)
  return { loader, kernels: present(kernels), cores, plugin: present(plugin) }
}
