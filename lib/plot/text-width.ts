import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { SpikingRxError } from '../errors.js'

/**
 * Width of text in the font the pictures are drawn with, so that Vega can lay out axes and legends exactly.
 *
 *     width = font size * sum of advance widths / units per em
 *
 * Without a canvas Vega guesses 0.8 em a character, which leaves holes beside every axis title.
 * Read from the TrueType tables cmap (format 4), hhea, hmtx and head (OpenType 1.9 specification). No kerning: less than a
 * pixel in the sizes used.
 */
export interface FontWidths {
  readonly width: (text: string, fontSize: number) => number
}

const files = { normal: 'DejaVuSans.ttf', bold: 'DejaVuSans-Bold.ttf' } as const
export type FontWeight = keyof typeof files

const loaded = new Map<FontWeight, FontWidths>()

/** Full path of a font file shipped in dejavu-fonts-ttf. */
export function fontFile(weight: FontWeight): string {
  return createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${files[weight]}`)
}

export function fontWidths(weight: FontWeight): FontWidths {
  const known = loaded.get(weight)
  if (known !== undefined) return known
  const widths = parseFont(readFileSync(fontFile(weight)))
  loaded.set(weight, widths)
  return widths
}

/** @throws SpikingRxError `ERR_PLOT` when the bytes are not a TrueType font with a format 4 character map */
export function parseFont(font: Buffer): FontWidths {
  try {
    const tables = tableOffsets(font)
    const unitsPerEm = font.readUInt16BE(tables('head') + 18)
    const measured = font.readUInt16BE(tables('hhea') + 34)
    const metrics = tables('hmtx')
    const glyphOf = characterMap(font, tables('cmap'))
    const advances = new Map<number, number>()
    const advance = (character: number): number => {
      let units = advances.get(character)
      if (units === undefined) {
        // Glyphs beyond the last measured one share its width.
        units = font.readUInt16BE(metrics + 4 * Math.min(glyphOf(character), measured - 1))
        advances.set(character, units)
      }
      return units
    }
    return {
      width(text, fontSize) {
        let units = 0
        for (const character of text) units += advance(character.codePointAt(0)!)
        return (units * fontSize) / unitsPerEm
      },
    }
  } catch (cause) {
    if (cause instanceof SpikingRxError) throw cause
    throw new SpikingRxError('the font file is damaged: reinstall dejavu-fonts-ttf', 'ERR_PLOT', {}, cause)
  }
}

function tableOffsets(font: Buffer): (name: string) => number {
  const offsets = new Map<string, number>()
  for (let i = 0; i < font.readUInt16BE(4); i++) {
    const entry = 12 + 16 * i
    offsets.set(font.toString('latin1', entry, entry + 4), font.readUInt32BE(entry + 8))
  }
  return (name) => {
    const offset = offsets.get(name)
    if (offset === undefined) throw new SpikingRxError(`the font has no ${name} table: TrueType expected`, 'ERR_PLOT')
    return offset
  }
}

/** Character code to glyph, by segments: glyph = code + delta, or looked up where the segment has a range offset. */
function characterMap(font: Buffer, cmap: number): (character: number) => number {
  const subtable = Array.from({ length: font.readUInt16BE(cmap + 2) }, (_, i) => cmap + 4 + 8 * i)
    .map((record) => cmap + font.readUInt32BE(record + 4))
    .find((offset) => font.readUInt16BE(offset) === 4)
  if (subtable === undefined) throw new SpikingRxError('the font has no format 4 character map', 'ERR_PLOT')
  const doubled = font.readUInt16BE(subtable + 6)
  const ends = subtable + 14
  const starts = ends + doubled + 2
  const deltas = starts + doubled
  const ranges = deltas + doubled
  return (character) => {
    for (let i = 0; i < doubled; i += 2) {
      if (character > font.readUInt16BE(ends + i)) continue
      const start = font.readUInt16BE(starts + i)
      if (character < start) return 0
      const delta = font.readUInt16BE(deltas + i)
      const range = font.readUInt16BE(ranges + i)
      if (range === 0) return (character + delta) & 0xffff
      const glyph = font.readUInt16BE(ranges + i + range + 2 * (character - start))
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff
    }
    return 0
  }
}
