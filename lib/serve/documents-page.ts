/** The page at /docs: the OpenAPI document for people, in plain HTML; it loads nothing and runs nothing. */
import { createHash } from 'node:crypto'
import type { OpenApiDocument, OpenApiOperation } from './openapi.js'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; padding: .75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem }
details { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .5rem 0 }
summary { cursor: pointer }
th, td { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top }
`

/** For the header Content-Security-Policy: this page's style and nothing else. */
export const DOCUMENTS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export function documentsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))]
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag))
    return `<h2>${text(tag)}</h2>\n${own.map(({ path, method, operation }) => section(method, path, operation)).join('\n')}`
  })
  const { schemas } = document.components as { readonly schemas: Readonly<Record<string, unknown>> }
  const definitions = Object.entries(schemas).map(
    ([name, schema]) =>
      `<details id="${text(name)}"><summary><code>${text(name)}</code></summary><pre>${text(JSON.stringify(schema, null, 2))}</pre></details>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(document.info.title)} ${text(document.info.version)}: interface</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${text(document.info.title)} ${text(document.info.version)}</h1>
<p>${text(document.info.description)} The same for programs: <a href="openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
<h2>Schemas</h2>
${definitions.join('\n')}
</main>
</body>
</html>
`
}

function section(method: string, path: string, operation: OpenApiOperation): string {
  const rows = Object.entries(operation.responses).map(
    ([status, { description }]) => `<tr><th scope="row">${text(status)}</th><td>${text(description)}</td></tr>`,
  )
  return `<details><summary><code>${method.toUpperCase()} ${text(path)}</code> ${text(operation.summary)}</summary>
${body('Request', operation.requestBody)}
${body('Response', Object.values(operation.responses)[0])}
<table>${rows.join('')}</table></details>`
}

type Content = Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>

function body(title: string, described: unknown): string {
  const { content } = (described ?? {}) as { readonly content?: Content }
  if (content === undefined) return ''
  const media = Object.entries(content).map(([type, { schema }]) => {
    const name = schema?.$ref?.split('/').at(-1)
    return name === undefined
      ? `<code>${text(type)}</code>`
      : `<code>${text(type)}</code> <a href="#${text(name)}">${text(name)}</a>`
  })
  return `<p>${title}: ${media.join(' or ')}</p>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
}
