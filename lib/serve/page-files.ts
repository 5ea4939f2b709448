/** The files of the landing page, read once: as they lie in lib/serve/page, and in dist/serve/page of the package. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { packageFolder } from '../runtime/files.js'

export interface PageFile {
  readonly name: string
  readonly type: string
  readonly content: Buffer
  readonly compressed: Buffer
  /** Of the content, as HTTP quotes it. */
  readonly tag: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** For the header Content-Security-Policy: the page's own files and its own service, nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

export function pageFiles(): readonly PageFile[] {
  const folder = pageFolder()
  return readdirSync(folder).flatMap((name) => {
    const type = TYPES[path.extname(name)]
    if (type === undefined) return []
    const content = readFileSync(path.join(folder, name))
    const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
    return [{ name, type, content, compressed: gzipSync(content, { level: 9 }), tag }]
  })
}

function pageFolder(): string {
  // A chunk of dist/ lies elsewhere than lib/serve does.
  const beside = fileURLToPath(new URL('page', import.meta.url))
  return existsSync(beside) ? beside : path.join(packageFolder, 'dist/serve/page')
}
