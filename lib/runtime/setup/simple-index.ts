/** Python's simple index: the files of a project, as HTML (PEP 503) or JSON (PEP 691). */
import type { RemoteFile } from './download.js'
import { fetchText } from './download.js'
import type { Report } from './events.js'
import type { Http } from './http.js'
import { shown } from './http.js'
import { compareReleases, releaseOf } from './requirement.js'
import { SetupError } from './setup-error.js'
import { fitsPlatform, parseWheelName, pythonRank, type WheelName } from './wheel-name.js'

export interface IndexFile extends RemoteFile {
  readonly yanked: boolean
  /** Where METADATA alone can be read (PEP 658). */
  readonly metadata: URL | null
}

const ACCEPT = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1'

/** @throws SetupError `ERR_SETUP_NETWORK` when the page can't be had */
export async function readIndex(http: Http, index: URL, project: string, report: Report): Promise<IndexFile[]> {
  const page = new URL(`${index.href.replace(/\/*$/, '')}/${project}/`)
  const { text, url, type } = await fetchText(http, page, { accept: ACCEPT }, report)
  // A password of the index goes along to files of the same server.
  if (page.username && url.host === page.host) Object.assign(url, { username: page.username, password: page.password })
  const files = /\bjson\b/.test(type) ? readJsonPage(text, url) : readHtmlPage(text, url)
  return files.map((file) => withLogin(file, url))
}

function withLogin(file: IndexFile, page: URL): IndexFile {
  if (!page.username || file.url.origin !== page.origin || file.url.username) return file
  const url = new URL(file.url)
  url.username = page.username
  url.password = page.password
  return { ...file, url }
}

/** PEP 691. @throws SetupError `ERR_SETUP_NETWORK` when it is none */
export function readJsonPage(text: string, page: URL): IndexFile[] {
  let files: unknown
  try {
    files = (JSON.parse(text) as { files?: unknown }).files
  } catch {
    files = undefined
  }
  if (!Array.isArray(files)) throw new SetupError(`${shown(page)} is no package index`, 'ERR_SETUP_NETWORK')
  return files.flatMap((entry): IndexFile[] => {
    const { filename, url, hashes, size, yanked } = entry as Record<string, unknown>
    const core =
      (entry as Record<string, unknown>)['core-metadata'] ??
      (entry as Record<string, unknown>)['data-dist-info-metadata']
    if (typeof filename !== 'string' || typeof url !== 'string' || !URL.canParse(url, page.href)) return []
    const address = new URL(url, page)
    const sha256 = (hashes as { sha256?: unknown } | undefined)?.sha256
    return [
      {
        name: filename,
        url: address,
        sha256: typeof sha256 === 'string' ? sha256 : null,
        size: typeof size === 'number' ? size : null,
        yanked: yanked !== undefined && yanked !== false,
        metadata: core ? new URL(`${address.href}.metadata`) : null,
      },
    ]
  })
}

/** PEP 503: anchors whose address ends with `#sha256=<hash>`. */
export function readHtmlPage(text: string, page: URL): IndexFile[] {
  const base = attribute(/<base\b([^>]*)>/i.exec(text)?.[1] ?? '', 'href')
  const from = base !== null && URL.canParse(base, page.href) ? new URL(base, page) : page
  return Array.from(text.matchAll(/<a\b([^>]*)>([^<]*)<\/a/gi)).flatMap(
    ([, attributes = '', content = '']): IndexFile[] => {
      const href = attribute(attributes, 'href')
      if (href === null || !URL.canParse(href, from.href)) return []
      const url = new URL(href, from)
      const sha256 = hashOf(url)
      url.hash = ''
      const core = attribute(attributes, 'data-core-metadata') ?? attribute(attributes, 'data-dist-info-metadata')
      return [
        {
          name: decode(content.trim()),
          url,
          sha256,
          size: null,
          yanked: attribute(attributes, 'data-yanked') !== null,
          metadata: core !== null && core !== 'false' ? new URL(`${url.href}.metadata`) : null,
        },
      ]
    },
  )
}

/** Of an address that ends with `#sha256=<hash>`, as pip reads it. */
export function hashOf(url: URL): string | null {
  return /(?:^#|&)sha256=([0-9a-f]{64})(?:&|$)/i.exec(url.hash)?.[1]?.toLowerCase() ?? null
}

function attribute(attributes: string, name: string): string | null {
  const found = new RegExp(`(?:^|\\s)${name}(?:\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]*)))?(?=\\s|/|$)`, 'i').exec(
    attributes,
  )
  return found ? decode(found[1] ?? found[2] ?? found[3] ?? '') : null
}

function decode(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return names[name] ?? whole
    return String.fromCodePoint(Number.parseInt(decimal ?? hexadecimal, decimal ? 10 : 16))
  })
}

/** The newest wheel for this architecture whose version is wanted, or null; a withdrawn one only where no other is. */
export function chooseWheel<File extends { readonly name: string; readonly yanked?: boolean }>(
  files: readonly File[],
  architecture: string,
  wanted: (wheel: WheelName) => boolean,
): File | null {
  const fitting = files.flatMap((file) => {
    const wheel = parseWheelName(file.name)
    return wheel && fitsPlatform(wheel, architecture) && wanted(wheel) ? [{ file, wheel }] : []
  })
  fitting.sort(
    (a, b) =>
      Number(a.file.yanked ?? false) - Number(b.file.yanked ?? false) ||
      compareReleases(releaseOf(b.wheel.version) ?? [], releaseOf(a.wheel.version) ?? []) ||
      pythonRank(a.wheel) - pythonRank(b.wheel),
  )
  return fitting[0]?.file ?? null
}
