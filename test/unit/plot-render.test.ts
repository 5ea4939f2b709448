import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import * as vega from 'vega'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lineChart } from '../../lib/plot/line-chart.js'
import { renderPng, renderSvg, savePlot } from '../../lib/plot/render.js'
import { fontFile, fontWidths, parseFont } from '../../lib/plot/text-width.js'
import { framed, type PlotSpec } from '../../lib/plot/theme.js'
import { overhang, sizeOf, textsIn } from './plot-svg.js'

const chart = lineChart({
  series: [{ name: 'a', x: [0, 1, 2], y: [0, 1, 4] }],
  xTitle: 'input current (pA)',
  yTitle: 'firing rate (Hz)',
  title: 'Rate against current',
})

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spikingrx-plot-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('renderSvg', () => {
  it('writes title and axis titles in the shipped font on white', async () => {
    const svg = await renderSvg(chart)
    expect(textsIn(svg)).toEqual(
      expect.arrayContaining(['Rate against current', 'input current (pA)', 'firing rate (Hz)']),
    )
    expect(svg).toContain('font-family="DejaVu Sans, Verdana, sans-serif"')
    expect(svg).toContain('fill="#ffffff"')
    expect(overhang(svg)).toBe(0)
  })

  it('draws the same bytes twice', async () => {
    const [first, second] = await Promise.all([renderSvg(chart), renderSvg(chart)])
    expect(second).toBe(first)
  })

  it('throws ERR_PLOT in one sentence for a specification that is not Vega-Lite', async () => {
    const wrong = framed({ text: 'wrong' }, { hconcat: 7 }) as PlotSpec
    await expect(renderSvg(wrong)).rejects.toMatchObject({
      code: 'ERR_PLOT',
      message: /^the picture could not be drawn: /,
    })
  })

  it('throws ERR_PLOT for an expression that fails while drawing', async () => {
    const body = { data: { values: [{ a: 1 }] }, transform: [{ calculate: 'nosuch(datum.a)', as: 'b' }], mark: 'bar' }
    await expect(renderSvg(framed({ text: 'wrong' }, body))).rejects.toMatchObject({ code: 'ERR_PLOT' })
  })

  it("gives Vega's own text measure back, after a failure too", async () => {
    const metrics = (vega as unknown as { textMetrics: { width: unknown } }).textMetrics
    const before = metrics.width
    const running = Promise.all([renderSvg(chart), renderSvg(chart)])
    await running
    expect(metrics.width).toBe(before)
    await expect(renderSvg(framed({ text: 'wrong' }, { hconcat: 7 }))).rejects.toThrow()
    expect(metrics.width).toBe(before)
  })
})

describe('renderPng', () => {
  it('draws two pixels for every unit of the SVG', async () => {
    const svg = await renderSvg(chart)
    const png = await renderPng(svg)
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    const { width, height } = sizeOf(svg)
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * width, 2 * height])
  })

  it.each([0, -1, 9, Number.NaN])('refuses scale %d', async (scale) => {
    await expect(renderPng('<svg/>', scale)).rejects.toMatchObject({ code: 'ERR_RANGE' })
  })
})

describe('savePlot', () => {
  it('writes SVG, PNG and the specification into a new folder and leaves no temporary file', async () => {
    const base = join(directory, 'deep', 'curve')
    const files = await savePlot(base, chart)
    expect(files).toEqual([`${base}.svg`, `${base}.png`, `${base}.json`])
    expect((await readdir(join(directory, 'deep'))).sort()).toEqual(['curve.json', 'curve.png', 'curve.svg'])
    const spec = JSON.parse(await readFile(`${base}.json`, 'utf8')) as PlotSpec
    expect(spec.$schema).toBe('https://vega.github.io/schema/vega-lite/v6.json')
    expect(await renderSvg(spec)).toBe(await readFile(`${base}.svg`, 'utf8'))
  })

  it('replaces an older picture', async () => {
    const base = join(directory, 'again')
    await savePlot(base, chart, ['svg'])
    await savePlot(
      base,
      lineChart({ series: [{ name: 'b', x: [1], y: [1] }], xTitle: 'x', yTitle: 'y', title: 'Second' }),
      ['svg'],
    )
    expect(textsIn(await readFile(`${base}.svg`, 'utf8'))).toContain('Second')
  })

  it('refuses a path with an extension and an empty list of formats', async () => {
    await expect(savePlot(join(directory, 'a.png'), chart)).rejects.toMatchObject({ code: 'ERR_TYPE' })
    await expect(savePlot(join(directory, 'a'), chart, [])).rejects.toMatchObject({ code: 'ERR_TYPE' })
  })
})

describe('fontWidths', () => {
  // Advance widths of DejaVu Sans 2.37 in 1/2048 em: 0 is 1303, A is 1401, space is 651, theta is 1253.
  it.each([
    ['0', 1303],
    ['A', 1401],
    [' ', 651],
    ['θ', 1253],
    ['A 0', 1401 + 651 + 1303],
  ])('measures %j as DejaVu Sans has it', (text, units) => {
    expect(fontWidths('normal').width(text, 2048)).toBe(units)
  })

  it('agrees with the glyphs that are drawn', () => {
    for (const [weight, text] of [
      ['normal', 'firing rate (spikes / neuron / step)'],
      ['bold', 'Hamburgefonstiv 0123456789'],
    ] as const) {
      const drawn = new Resvg(
        `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="60"><text x="10" y="40" font-family="DejaVu Sans" font-weight="${weight}" font-size="20">${text}</text></svg>`,
        { font: { loadSystemFonts: false, fontFiles: [fontFile('normal'), fontFile('bold')] } },
      ).getBBox()!
      expect(Math.abs(fontWidths(weight).width(text, 20) - drawn.width)).toBeLessThan(4)
    }
  })

  it('says when a font file is damaged', () => {
    expect(() => parseFont(Buffer.alloc(4))).toThrow(expect.objectContaining({ code: 'ERR_PLOT' }))
    expect(() => parseFont(Buffer.alloc(64))).toThrow(/no head table/)
  })
})

describe('import', () => {
  it('reads Vega and resvg only when something is drawn', async () => {
    const folder = new URL('../../lib/plot/', import.meta.url)
    for (const file of await readdir(folder)) {
      const source = await readFile(new URL(file, folder), 'utf8')
      expect(source, file).not.toMatch(/^import (?!type )[^\n]*from '(vega|vega-lite|@resvg\/resvg-js)'/m)
    }
  })
})
