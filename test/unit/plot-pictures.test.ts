import { describe, expect, it } from 'vitest'
import { confusionCounts, confusionMatrix } from '../../lib/plot/confusion-matrix.js'
import { featureMapGrid } from '../../lib/plot/feature-maps.js'
import { filterGrid } from '../../lib/plot/filters.js'
import { firingRates } from '../../lib/plot/firing-rates.js'
import { groupedBars } from '../../lib/plot/grouped-bars.js'
import { binCounts, histograms } from '../../lib/plot/histogram.js'
import { inputImage } from '../../lib/plot/input-image.js'
import { lineChart } from '../../lib/plot/line-chart.js'
import { renderSvg } from '../../lib/plot/render.js'
import type { PlotSpec } from '../../lib/plot/theme.js'
import { marksIn, overhang, textsIn } from './plot-svg.js'

/** The colour scale of an image grid's cells. */
function cellScale(spec: PlotSpec): { domain: number[]; range: string[] } {
  const layers = (
    spec as unknown as { layer: { encoding: { color?: { scale: { domain: number[]; range: string[] } } } }[] }
  ).layer
  return layers[1]!.encoding.color!.scale
}

const fills = (marks: readonly string[]): string[] => marks.map((mark) => /fill="([^"]*)"/.exec(mark)![1]!)

describe('filterGrid', () => {
  const bank = { filters: 2, channels: 3, height: 2, width: 2 }

  it('draws every weight, red above zero, blue below, on a symmetric scale', async () => {
    const weights = new Float32Array(24).fill(0.25)
    weights[0] = -0.5
    weights[1] = 0.5
    const spec = filterGrid({ ...bank, weights })
    expect(cellScale(spec)).toMatchObject({ domain: [-0.5, 0, 0.5], range: ['#0000ff', '#ffffff', '#ff0000'] })
    const svg = await renderSvg(spec)
    const cells = fills(marksIn(svg, 'rect', 'layer_1'))
    expect(cells).toHaveLength(24)
    expect(cells.slice(0, 3)).toEqual(['rgb(0, 0, 255)', 'rgb(255, 0, 0)', 'rgb(255, 128, 128)'])
    expect(overhang(svg)).toBe(0)
  })

  it('names filters and channels', async () => {
    const svg = await renderSvg(filterGrid({ ...bank, weights: new Float32Array(24).fill(1) }))
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['f0-ch0', 'f0-ch1', 'f0-ch2', 'f1-ch0', 'f1-ch1', 'f1-ch2']))
  })

  it('shows the first of many and says so', async () => {
    const spec = filterGrid({
      weights: new Float32Array(1000 * 784).fill(1),
      filters: 1000,
      channels: 1,
      height: 28,
      width: 28,
    })
    const svg = await renderSvg(spec)
    expect(textsIn(svg)).toContain('first 16 of 1,000 shown')
    expect(marksIn(svg, 'rect', 'layer_1')).toHaveLength(16 * 784)
    expect(svg.length).toBeLessThan(1.5e6)
  })

  it('draws filters of zeros as white frames on a scale that is not empty', () => {
    expect(cellScale(filterGrid({ ...bank, weights: new Float32Array(24) })).domain).toEqual([-1, 0, 1])
  })

  it('refuses weights that do not fit the shape', () => {
    expect(() => filterGrid({ ...bank, weights: new Float32Array(23) })).toThrow(
      expect.objectContaining({
        code: 'ERR_SHAPE',
        message: expect.stringContaining('24 numbers for [2, 3, 2, 2], got 23'),
      }),
    )
  })
})

describe('featureMapGrid', () => {
  it('draws only cells that differ from the background', async () => {
    const values = new Float32Array(8 * 16)
    values[0] = 0.5
    values[127] = 1
    const spec = featureMapGrid({ values, channels: 8, height: 4, width: 4, quantity: 'firing rate (spikes / step)' })
    const svg = await renderSvg(spec)
    expect(cellScale(spec).domain).toEqual([0, 1])
    expect(fills(marksIn(svg, 'rect', 'layer_1'))).toEqual(['rgb(107, 174, 214)', 'rgb(8, 48, 107)'])
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['map 0', 'map 7', 'firing rate (spikes / step)']))
    expect(overhang(svg)).toBe(0)
  })

  it('uses red and blue when values go below zero', () => {
    const spec = featureMapGrid({ values: [-2, 1], channels: 2, height: 1, width: 1, quantity: 'output' })
    expect(cellScale(spec).domain).toEqual([-2, 0, 2])
  })
})

describe('inputImage', () => {
  it.each([
    ['bytes', [0, 255, 128, 3], [0, 255]],
    ['shares', [0, 1, 0.5, 0.1], [0, 1]],
    ['other values', [-1, 2, 0, 0], [-1, 2]],
  ])('scales %s', (_, values, domain) => {
    expect(cellScale(inputImage({ values, channels: 1, height: 2, width: 2 })).domain).toEqual(domain)
  })

  it('draws black lowest and white highest, row by row', async () => {
    const svg = await renderSvg(inputImage({ values: [0, 1, 1, 0], channels: 1, height: 2, width: 2 }))
    const cells = marksIn(svg, 'rect', 'layer_1')
    expect(fills(cells)).toEqual(['rgb(255, 255, 255)', 'rgb(255, 255, 255)'])
    expect(cells.map((cell) => /d="M(\d+),(\d+)h/.exec(cell)!.slice(1, 3).map(Number))).toEqual([
      [140, 14],
      [0, 154],
    ])
  })
})

describe('confusionMatrix', () => {
  it('counts true class by row and predicted class by column', () => {
    const counts = confusionCounts([0, 0, 1, 2, 2, 2], BigInt64Array.from([0n, 1n, 1n, 2n, 2n, 0n]), 3)
    expect([...counts]).toEqual([1, 1, 0, 0, 1, 0, 1, 0, 2])
  })

  it('writes every count and the accuracy', async () => {
    const svg = await renderSvg(confusionMatrix({ classes: ['cat', 'dog'], counts: [1234, 5, 0, 61] }))
    const texts = textsIn(svg)
    expect(texts).toEqual(
      expect.arrayContaining(['1,234', '5', '0', '61', '1,295 of 1,300 right (99.62 %)', 'true class']),
    )
    expect(marksIn(svg, 'rect', 'layer_0')).toHaveLength(4)
    expect(fills(marksIn(svg, 'rect', 'layer_0')).at(2)).toBe('rgb(255, 255, 255)')
    expect(overhang(svg)).toBe(0)
  })

  it('keeps every class name on the axis', async () => {
    const classes = [
      'T-shirt',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ]
    const svg = await renderSvg(confusionMatrix({ classes, counts: new Float64Array(100).fill(1) }))
    for (const name of classes) expect(textsIn(svg).filter((text) => text === name)).toHaveLength(2)
    expect(overhang(svg)).toBe(0)
  })

  it('refuses lists of different length and classes that do not exist', () => {
    expect(() => confusionCounts([0], [0, 1], 2)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
    expect(() => confusionCounts([0, 2], [0, 1], 2)).toThrow(/classes 0 to 1, got 2 at position 1/)
    expect(() => confusionMatrix({ classes: ['a'], counts: [1, 2] })).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    )
  })
})

describe('histograms', () => {
  it('counts every value once, edges into the bin on their right, the last bin closed', () => {
    expect(binCounts([0, 0.5, 1, 1.5, 2, Number.NaN, 3, -1], [0, 1, 2])).toEqual([2, 3])
    expect(binCounts([0.1, 0.2, 0.3, 0.7], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])).toEqual([0, 1, 1, 1, 0, 0, 1])
  })

  it('draws before and after with their mean and deviation', async () => {
    const series = [
      { name: 'before', values: [1, 3, 5] },
      { name: 'after', values: [-1, 0, 1] },
    ]
    const svg = await renderSvg(
      histograms([{ title: 'one step', series }], { title: 'SpikeNorm', quantity: 'value', bins: 6 }),
    )
    expect(textsIn(svg)).toEqual(
      expect.arrayContaining(['before: mean 3, std 1.633', 'after: mean 0, std 0.816', 'value']),
    )
    expect(marksIn(svg, 'rect', 'concat_0')).toHaveLength(12)
    expect(overhang(svg)).toBe(0)
  })

  it('says how many values were not finite', async () => {
    const series = [{ name: 'x', values: [1, Number.NaN, Number.POSITIVE_INFINITY] }]
    const svg = await renderSvg(histograms([{ title: 'p', series }], { title: 't', quantity: 'value' }))
    expect(textsIn(svg)).toContain('x: mean 1, std 0, 2 not finite')
  })

  it('refuses values it can not bin', () => {
    const panel = { title: 'p', series: [{ name: 'x', values: [Number.NaN] }] }
    expect(() => histograms([panel], { title: 't', quantity: 'q' })).toThrow(
      expect.objectContaining({ code: 'ERR_RANGE' }),
    )
    expect(() => histograms([panel], { title: 't', quantity: 'q', bins: 0 })).toThrow(/bins from 1 to 500, got 0/)
  })
})

describe('lineChart', () => {
  it('draws lines, dashes and points, one colour a series', async () => {
    const svg = await renderSvg(
      lineChart({
        series: [
          { name: 'closed form', x: [0, 1, 2], y: [0, 1, 2] },
          { name: 'fit', x: [0, 2], y: [0, 3], style: 'dashed' },
          { name: 'measured', x: [0, 1, 2], y: [0, 1, 3], style: 'points' },
        ],
        xTitle: 'I (pA)',
        yTitle: 'f (Hz)',
        title: 'F-I',
      }),
    )
    expect(marksIn(svg, 'line', 'layer_0')[0]).toContain('stroke="#0072b2"')
    expect(marksIn(svg, 'line', 'layer_1')[0]).toContain('stroke-dasharray="6,4"')
    expect(marksIn(svg, 'symbol', 'layer_2')).toHaveLength(3)
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['closed form', 'fit', 'measured', 'I (pA)', 'f (Hz)']))
    expect(overhang(svg)).toBe(0)
  })

  it('refuses series whose x and y differ in length', () => {
    const chart = { xTitle: 'x', yTitle: 'y', title: 't' }
    expect(() => lineChart({ ...chart, series: [{ name: 'a', x: [1, 2], y: [1] }] })).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    )
    expect(() => lineChart({ ...chart, series: [] })).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  })
})

describe('groupedBars', () => {
  it('draws a bar of every series for each group, as long as its value', async () => {
    const series = [
      { name: 'before', values: [0.2, 0.4], colour: '#8c8c8c' },
      { name: 'after', values: [0, 0.8] },
    ]
    const spec = groupedBars({ groups: ['stem', 'block 1'], series, xTitle: 'rate', title: 'Activity' })
    const svg = await renderSvg(spec)
    const widths = marksIn(svg, 'rect', 'layer_0').map((mark) => Number(/d="M[^h]*h([\d.]+)/.exec(mark)![1]))
    expect(widths).toHaveLength(4)
    expect(widths[0]).toBeCloseTo(widths[3]! / 4, 3)
    expect(widths[1]).toBe(0)
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['stem', 'block 1', 'before', 'after', '0.8']))
    expect(overhang(svg)).toBe(0)
    expect(() => groupedBars({ groups: ['a'], series, xTitle: '', title: '' })).toThrow(
      'before expects 1 values, got 2',
    )
    expect(() => groupedBars({ groups: [], series, xTitle: '', title: '' })).toThrow()
  })
})

describe('firingRates', () => {
  it('draws bars as long as the rates and writes them', async () => {
    const svg = await renderSvg(
      firingRates([
        { layer: 'layers.2', rate: 0.2 },
        { layer: 'layers.3.stages.0', rate: 0.05 },
        { layer: 'silent', rate: 0 },
      ]),
    )
    const lengths = marksIn(svg, 'rect', 'layer_0').map((mark) => Number(/d="M[^h]*h([\d.]+)/.exec(mark)![1]))
    expect(lengths).toHaveLength(3)
    expect(lengths[0]! / lengths[1]!).toBeCloseTo(4, 2)
    expect(lengths[2]).toBe(0)
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['0.2', '0.05', '0', 'layers.3.stages.0']))
    expect(overhang(svg)).toBe(0)
  })
})
