/** Where libtorch is taken from, as the options of a setup name it. Nothing is fetched here. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { readVersion } from '../locate.js'
import { SetupError } from './setup-error.js'
import { hashOf } from './simple-index.js'
import { parseWheelName } from './wheel-name.js'

export type Build = 'cpu' | 'cuda'

export type Source =
  /** The wheel of the index. */
  | { readonly kind: 'index' }
  | { readonly kind: 'pip' }
  /** A wheel or zip at an address. */
  | { readonly kind: 'url'; readonly url: URL; readonly name: string; readonly sha256: string | null }
  /** A wheel or zip on this disk. */
  | { readonly kind: 'archive'; readonly file: string }
  /** A libtorch: `root/lib` holds the libraries. */
  | { readonly kind: 'folder'; readonly root: string }
  /** Wheels side by side. */
  | { readonly kind: 'wheels'; readonly folder: string }

/** Public places; --mirror replaces them. */
export const PLACES = {
  pytorch: 'https://download.pytorch.org',
  pypi: 'https://pypi.org/simple',
} as const

/** Python's index: torch's own for the CPU wheel (PyPI's is the CUDA build), PyPI for CUDA. */
export function indexOf(build: Build, mirror: URL | null): URL {
  if (mirror !== null) return mirror
  return new URL(build === 'cpu' ? `${PLACES.pytorch}/whl/cpu` : PLACES.pypi)
}

/** The official zip; the CUDA one holds NVIDIA's libraries. */
export function officialZip(version: string, build: Build, cudaTag: string, mirror: URL | null): URL {
  const tag = build === 'cpu' ? 'cpu' : cudaTag
  const host = (mirror?.href ?? PLACES.pytorch).replace(/\/*$/, '')
  return new URL(`${host}/libtorch/${tag}/libtorch-shared-with-deps-${version}%2B${tag}.zip`)
}

/**
 * `--from`: `wheel` and `zip` are the official ones; else an address or a path (`./zip` for a file of that name).
 *
 * @throws SetupError `ERR_SETUP_SOURCE` when there is no such thing
 */
export function parseFrom(from: string, zip: () => URL): Source {
  if (from === 'wheel') return { kind: 'index' }
  if (from === 'zip') return urlSource(zip())
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(from)) {
    if (!URL.canParse(from) || !/^https?:$/.test(new URL(from).protocol))
      throw new SetupError(`--from ${from} is no address: http:// or https:// is wanted`, 'ERR_SETUP_SOURCE', { from })
    return urlSource(new URL(from))
  }
  const file = path.resolve(from)
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined)
    throw new SetupError(
      `--from ${from} does not exist: give a wheel, a zip, a folder or an address`,
      'ERR_SETUP_SOURCE',
      { from },
    )
  if (found.isFile()) return { kind: 'archive', file }
  const root = [file, path.join(file, 'torch'), path.join(file, 'libtorch')].find((one) =>
    existsSync(path.join(one, 'lib/libtorch_cpu.so')),
  )
  if (root !== undefined) return { kind: 'folder', root }
  if (torchWheelIn(file) !== null) return { kind: 'wheels', folder: file }
  throw new SetupError(`--from ${from} holds neither lib/libtorch_cpu.so nor a torch-*.whl`, 'ERR_SETUP_SOURCE', {
    from,
  })
}

function urlSource(address: URL): Source {
  const url = new URL(address)
  const sha256 = hashOf(url)
  url.hash = ''
  return { kind: 'url', url, sha256, name: decodeURIComponent(url.pathname.split('/').at(-1) ?? '') || 'libtorch.zip' }
}

/** What the name of a source says of its build; null where only a look inside tells. */
export function buildNamed(source: Source): Build | null {
  if (source.kind === 'folder') return existsSync(path.join(source.root, 'lib/libtorch_cuda.so')) ? 'cuda' : 'cpu'
  const name = source.kind === 'url' ? source.name : source.kind === 'archive' ? path.basename(source.file) : ''
  const tag = /\+(cpu|cu\d+)\b/.exec(name)?.[1]
  if (tag === undefined) return null
  return tag === 'cpu' ? 'cpu' : 'cuda'
}

/** The version that a source names, without what follows a +; null where only a look inside tells. */
export function versionNamed(source: Source): string | null {
  const release = (text: string | undefined) => /\d+\.\d+\.\d+/.exec(text ?? '')?.[0] ?? null
  if (source.kind === 'url') return release(source.name)
  if (source.kind === 'archive') return release(path.basename(source.file))
  if (source.kind === 'folder') return release(readVersion(source.root) ?? '')
  if (source.kind !== 'wheels') return null
  const wheel = torchWheelIn(source.folder)
  return wheel === null ? null : release(path.basename(wheel))
}

/** The path of torch's wheel in a folder of wheels, or null. */
export function torchWheelIn(folder: string): string | null {
  const name = readdirSync(folder).find((one) => parseWheelName(one)?.project === 'torch')
  return name === undefined ? null : path.join(folder, name)
}

/** For people, and for `source` of the JSON. */
export function sourceText(source: Source, index: URL): string {
  switch (source.kind) {
    case 'index':
      return `wheel of ${index.origin}${index.pathname}`
    case 'pip':
      return 'wheel by pip'
    case 'url':
      return `${source.url.origin}${source.url.pathname}`
    case 'archive':
      return source.file
    case 'folder':
      return source.root
    case 'wheels':
      return `wheels in ${source.folder}`
  }
}
