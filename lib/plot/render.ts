import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ArgumentError, SpikingRxError } from '../errors.js'
import { replaceFile } from '../io/replace-file.js'
import { fontFile, fontWidths } from './text-width.js'
import type { PlotSpec } from './theme.js'

/** `json` is the Vega-Lite specification with its data: it can be opened and changed in any Vega editor. */
export type PlotFormat = 'svg' | 'png' | 'json'

/** Pixels of the PNG for one unit of the SVG. */
const pngScale = 2

/**
 * Draws a specification as SVG text.
 *
 * Vega is loaded on first use only (about half a second), so that importing this package stays fast.
 *
 * @throws SpikingRxError `ERR_PLOT` when the specification is not valid Vega-Lite
 */
export async function renderSvg(spec: PlotSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const errors: string[] = []
  const logger = vega.logger(vega.Error)
  logger.error = (...messages: readonly unknown[]) => {
    errors.push(messages.map((part) => (part instanceof Error ? part.message : String(part))).join(' '))
    return logger
  }
  const release = measureText((vega as unknown as { textMetrics: TextMetrics }).textMetrics)
  try {
    const view = new vega.View(vega.parse(vegaLite.compile(spec, { logger }).spec), { renderer: 'none', logger })
    try {
      const svg = await view.toSVG()
      // The dataflow logs what goes wrong inside it and draws the rest.
      if (errors.length > 0) throw new Error(errors[0])
      return svg
    } finally {
      view.finalize()
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SpikingRxError(`the picture could not be drawn: ${reason}`, 'ERR_PLOT', {}, cause)
  } finally {
    release()
  }
}

/** Vega's hook for text widths, one for the whole process. */
interface TextMetrics {
  width: (item: TextItem, text: unknown) => number
}

interface TextItem {
  readonly fontSize?: number
  readonly fontWeight?: number | string
  readonly limit?: number
}

let drawing = 0
let widthBefore: TextMetrics['width'] | undefined

/** Lends Vega our measure while pictures are drawn, and gives its own back after the last, for others in the process. */
function measureText(metrics: TextMetrics): () => void {
  if (drawing === 0) {
    widthBefore = metrics.width
    metrics.width = (item, text) => {
      const heavy = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600
      const width = fontWidths(heavy ? 'bold' : 'normal').width(text == null ? '' : String(text), item.fontSize ?? 11)
      return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width
    }
  }
  drawing += 1
  return () => {
    drawing -= 1
    if (drawing === 0 && widthBefore !== undefined) metrics.width = widthBefore
  }
}

/** Draws SVG text as a PNG file's bytes on white, with the fonts shipped beside this package: the same on every machine. */
export async function renderPng(svg: string, scale: number = pngScale): Promise<Buffer> {
  if (!(scale > 0 && scale <= 8)) {
    throw new ArgumentError(`renderPng expects a scale in (0, 8], got ${scale}`, 'ERR_RANGE', { scale })
  }
  const { Resvg } = await import('@resvg/resvg-js')
  const image = new Resvg(svg, {
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: [fontFile('normal'), fontFile('bold')],
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
    },
  })
  return image.render().asPng()
}

/**
 * Writes a picture as `<path>.svg`, `<path>.png` and `<path>.json`; a reader never sees half a file.
 *
 * @param path where to, without extension; missing folders are made
 * @returns the files written, in the order of `formats`
 * @throws SpikingRxError `ERR_PLOT` when the specification can't be drawn
 * @throws ArgumentError when `formats` is empty or `path` ends in one of their extensions
 */
export async function savePlot(
  path: string,
  spec: PlotSpec,
  formats: readonly PlotFormat[] = ['svg', 'png', 'json'],
): Promise<string[]> {
  if (formats.length === 0) throw new ArgumentError('savePlot expects at least one of svg, png, json, got none')
  if (/\.(svg|png|json)$/i.test(path)) {
    throw new ArgumentError(`savePlot expects a path without extension (give formats instead), got "${path}"`)
  }
  const svg = await renderSvg(spec)
  await mkdir(dirname(path), { recursive: true })
  const files: string[] = []
  for (const format of formats) {
    const content = format === 'svg' ? svg : format === 'png' ? await renderPng(svg) : `${JSON.stringify(spec)}\n`
    const file = `${path}.${format}`
    await replaceFile(file, (handle) => handle.writeFile(content))
    files.push(file)
  }
  return files
}
