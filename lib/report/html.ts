/** The report: one HTML file that needs no other, with its pictures as SVG inside. */
import { formatFigure } from '../plot/samples.js'
import type { Cell, ReportColumn, ReportHead, ReportParameter, ReportTable, StoredSection } from './section.js'

export interface DrawnSection extends StoredSection {
  /** SVG text of each picture, by name. */
  readonly drawn: ReadonlyMap<string, string>
}

/** The whole page. Nothing in it is loaded from elsewhere; links lead to the files beside it. */
export function reportHtml({ title, intro }: ReportHead, sections: readonly DrawnSection[]): string {
  const contents = sections.map(({ section }) => `<li><a href="#${section.part}">${htmlText(section.title)}</a></li>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${htmlText(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${htmlText(title)}</h1>
${intro.map((paragraph) => `<p>${withCode(paragraph)}</p>`).join('\n')}
<nav><ol>${contents.join('')}</ol></nav>
</header>
<main>
${sections.map(chapter).join('\n')}
</main>
</body>
</html>
`
}

function chapter({ section, settings, seconds, drawn }: DrawnSection): string {
  const { part, title, text, findings, parameters, tables, pictures } = section
  const { seed, quick, versions } = settings
  const origin = [
    `seed ${seed}`,
    ...(quick === undefined ? [] : [quick ? 'quick run' : 'full run']),
    `${seconds.toFixed(1)} s`,
    `spikingrx ${versions.spikingrx}`,
    `libtorch ${versions.libtorch}`,
    `Node ${versions.node}`,
    versions.processor,
  ]
  return [
    `<section id="${part}">`,
    `<h2>${htmlText(title)}</h2>`,
    ...text.map((paragraph) => `<p>${htmlText(paragraph)}</p>`),
    findings.length > 0
      ? `<ul class="findings">${findings.map((one) => `<li>${htmlText(one)}</li>`).join('')}</ul>`
      : '',
    ...pictures.map(({ name, caption }) => {
      const svg = withOwnIds(drawn.get(name) ?? '', name)
      return `<figure id="${name}">${svg}<figcaption>${htmlText(caption)}</figcaption></figure>`
    }),
    ...tables.map(table),
    parameters.length > 0 ? `<h3>Parameters</h3>${parameterTable(parameters)}` : '',
    `<p class="origin">${origin.map(htmlText).join(' · ')}</p>`,
    '</section>',
  ]
    .filter((line) => line !== '')
    .join('\n')
}

function table({ name, title, columns, rows, fileOnly = false }: ReportTable): string {
  const link = `<a href="data/${name}.csv">${name}.csv</a>`
  if (fileOnly) return `<p class="file">${htmlText(title)}: ${rows.length} rows in ${link}</p>`
  const head = columns.map((column) => `<th>${htmlText(heading(column))}</th>`).join('')
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')
  return `<h3>${htmlText(title)}</h3>
<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table></div>
<p class="file">${link}</p>`
}

function parameterTable(parameters: readonly ReportParameter[]): string {
  const rows = parameters.map(
    ({ name, value, unit = '' }) => `<tr><td>${htmlText(name)}</td>${cell(value)}<td>${htmlText(unit)}</td></tr>`,
  )
  return `<div class="wide"><table>${rows.join('')}</table></div>`
}

function heading({ name, unit }: ReportColumn): string {
  return unit === undefined ? name : `${name} (${unit})`
}

function cell(value: Cell): string {
  if (typeof value === 'number') return `<td class="number">${htmlText(formatFigure(value, 6))}</td>`
  return `<td>${value === null ? '–' : htmlText(String(value))}</td>`
}

/** Several pictures in one page: each one's ids (of clip paths and gradients) get its name before them. */
function withOwnIds(svg: string, name: string): string {
  return svg
    .replace(/\bid="([^"]+)"/g, `id="${name}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${name}-$1)`)
    .replace(/\bhref="#([^"]+)"/g, `href="#${name}-$1"`)
}

function withCode(text: string): string {
  return htmlText(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function htmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const style = `
body { font: 15px/1.5 "DejaVu Sans", Verdana, sans-serif; color: #222; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.3rem; margin-top: 3rem; border-bottom: 1px solid #d9d9d9 } h3 { font-size: 1rem; margin-bottom: .3rem }
figure { margin: 1.5rem 0 } figure svg { max-width: 100%; height: auto } figcaption { color: #555; font-size: .9rem }
table { border-collapse: collapse; font-size: .85rem } td, th { border-bottom: 1px solid #e5e5e5; padding: .2rem .7rem .2rem 0; text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums } .wide { overflow-x: auto }
.findings li { margin: .3rem 0; font-weight: 600 } .file, .origin { color: #777; font-size: .8rem } a { color: #0072b2 }
`
