import { describe, expect, it } from 'vitest'
import { constellations, linePanels, measuredCurves, renderSvg } from '../../lib/plot/index.js'
import { marksIn, overhang, textsIn } from './plot-svg.js'

describe('measuredCurves', () => {
  const point = (x: number, value: number) => ({ x, value, low: value / 2, high: value * 2 })
  const chart = {
    curves: [
      { name: 'theory', colour: '#222222', points: [0, 1, 2, 8].map((x) => ({ x, value: 0.3 * 10 ** -x })) },
      { name: 'measured', colour: '#d55e00', shape: 'circle', points: [point(0, 0.31), point(4, 0.004), point(8, 0)] },
    ],
    title: 't',
    xTitle: 'Es/N0 (dB)',
    yTitle: 'bit error rate',
    scale: 'log',
  } as const

  it('draws a point, a bar and its ends for each value above 0, and the decades of what was measured', async () => {
    const svg = await renderSvg(measuredCurves(chart))
    expect(overhang(svg)).toBe(0)
    const layers = { reference: 0, line: 1, bar: 2, low: 3, high: 4, point: 5 }
    expect(marksIn(svg, 'symbol', `layer_${layers.point}`)).toHaveLength(2)
    expect(marksIn(svg, 'rule', `layer_${layers.bar}`)).toHaveLength(2)
    const labels = textsIn(svg)
    expect(labels).toEqual(expect.arrayContaining(['theory', 'measured', '0.001', '0.01', '0.1', 'bit error rate']))
    // The theory of 1e-9 does not stretch the axis.
    expect(labels).not.toContain('0.0001')
  })

  it('names a level to look at, and keeps all-equal values on an axis', async () => {
    const flat = [{ ...chart.curves[1], points: [point(0, 1), point(4, 1)] }]
    const svg = await renderSvg(measuredCurves({ ...chart, curves: flat, level: { value: 0.1, text: '10 %' } }))
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['10 %', '0.1', '1']))
    expect(overhang(svg)).toBe(0)
    expect(() => measuredCurves({ ...chart, curves: [] })).toThrow(/at least one entry/)
  })
})

describe('constellations', () => {
  const panel = { title: 'received', symbols: [0.7, 0.7, -0.7, 0.7, 5, 0] }
  const chart = { panels: [panel], ideal: [0.7, 0.7], extent: 2, title: 'c' }

  it('draws what lies on its axes, and says how much does not', async () => {
    const svg = await renderSvg(
      constellations({ ...chart, sent: [0, 1, 0], labels: ['00', '01'], legend: 'bits sent' }),
    )
    expect(marksIn(svg, 'symbol', 'concat_0_layer_0')).toHaveLength(2)
    expect(marksIn(svg, 'symbol', 'concat_0_layer_1')).toHaveLength(1)
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['received (1 outside)', 'bits sent', '00', '01']))
    expect(overhang(svg)).toBe(0)
  })

  it('refuses half a pair, and more symbols than were sent', () => {
    expect(() => constellations({ ...chart, panels: [{ title: 'half', symbols: [1, 2, 3] }] })).toThrow(
      /half expects 2 numbers, got 3/,
    )
    expect(() => constellations({ ...chart, sent: [0] })).toThrow(/received expects 2 numbers, got 6/)
  })
})

describe('linePanels', () => {
  it('draws the lines that have a colour, once in each panel', async () => {
    const lines = [
      { name: 'channel', values: [1, 2] },
      { name: 'other', values: [2, 1] },
    ]
    const panels = [0, 7].map((symbol) => ({ title: `symbol ${symbol}`, lines }))
    const common = { x: [0, 1], xTitle: 'subcarrier', yTitle: '|H|', title: 't' }
    const svg = await renderSvg(linePanels({ ...common, panels, colours: { channel: '#222222' } }))
    expect([0, 1].map((i) => marksIn(svg, 'line', `concat_${i}`).length)).toEqual([1, 1])
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['symbol 0', 'symbol 7', 'channel', '|H|']))
    expect(() => linePanels({ ...common, x: [0], panels, colours: {} })).toThrow(/symbol 0, channel expects 1 numbers/)
  })
})
