import { Resvg } from '@resvg/resvg-js'
import { fontFile } from '../../lib/plot/text-width.js'

/** Attributes of the shapes Vega drew for one mark, by a part of its group's name: `layer_1`, `concat_0_layer_3`. */
export function marksIn(svg: string, kind: string, name: string): string[] {
  const group = new RegExp(`<g class="mark-${kind} role-mark [^"]*${name}_marks"[^>]*[^/]>(.*?)</g>`, 'gs')
  return [...svg.matchAll(group)].flatMap((match) =>
    [...match[1]!.matchAll(/<(?:path|line|text)([^>]*)>/g)].map((m) => m[1]!),
  )
}

/** Every line of text in the picture, in order of drawing. */
export function textsIn(svg: string): string[] {
  return [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]+)</g)].map((match) => match[1]!)
}

export function sizeOf(svg: string): { width: number; height: number } {
  const match = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(svg)
  return { width: Number(match?.[1]), height: Number(match?.[2]) }
}

/** How far drawn shapes and glyphs reach beyond the picture's edge, in pixels; 0 when nothing is cut off. */
export function overhang(svg: string): number {
  const box = new Resvg(svg, {
    font: {
      loadSystemFonts: false,
      fontFiles: [fontFile('normal'), fontFile('bold')],
      defaultFontFamily: 'DejaVu Sans',
    },
  }).getBBox()
  if (box === undefined) throw new Error('the picture is empty')
  const { width, height } = sizeOf(svg)
  return Math.max(0, -box.x, -box.y, box.x + box.width - width, box.y + box.height - height)
}
