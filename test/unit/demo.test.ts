import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DemoResult, demoConv, demoLif, demoNorm, demoSew, demos } from '../../lib/demo/index.js'
import { marksIn, overhang, textsIn } from './plot-svg.js'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spikingrx-demo-'))
})
afterAll(() => rm(directory, { recursive: true }))

const svgOf = (name: string): Promise<string> => readFile(join(directory, `${name}.svg`), 'utf8')

/** The numbers of the first line that starts with `start`. */
function figures(result: DemoResult, start: string): number[] {
  const line = result.lines.find((text) => text.trimStart().startsWith(start))
  if (line === undefined) throw new Error(`no line starts with "${start}": ${result.lines.join('\n')}`)
  return [
    ...line
      .trimStart()
      .slice(start.length)
      .matchAll(/-?\d+(?:\.\d+)?/g),
  ].map((match) => Number(match[0]))
}

async function expectPictures(result: DemoResult, names: readonly string[]): Promise<void> {
  expect(result.pictures.map((file) => basename(file))).toEqual(names.flatMap((name) => [`${name}.svg`, `${name}.png`]))
  for (const file of result.pictures) expect((await stat(file)).size).toBeGreaterThan(5000)
  for (const name of names) expect(overhang(await svgOf(name))).toBe(0)
}

describe('demoLif', () => {
  it.each([0, 1, 2, 3, 4])('fires 2 or 3 times in 20 steps with seed %d', async (seed) => {
    const result = await demoLif({ directory, seed })
    const spikes = figures(result, 'Spikes over time:')
    const [total, ...at] = figures(result, 'Total spikes:')
    expect(spikes).toHaveLength(20)
    expect(total).toBeGreaterThanOrEqual(2)
    expect(total).toBeLessThanOrEqual(3)
    expect(spikes.flatMap((spike, i) => (spike === 1 ? [i + 1] : []))).toEqual(at)
    expect(at).toHaveLength(total!)
    // Noise of 0.1 moves the noise-free first spike (t = 7) by a step at most, the second (t = 14) by two.
    expect(Math.abs(at[0]! - 7)).toBeLessThanOrEqual(1)
    expect(Math.abs(at[1]! - 14)).toBeLessThanOrEqual(2)
  })

  it('shows input, membrane, threshold and one event a spike', async () => {
    const result = await demoLif({ directory, seed: 0 })
    await expectPictures(result, ['lif'])
    const svg = await svgOf('lif')
    expect(textsIn(svg)).toEqual(expect.arrayContaining(['input I[t]', 'membrane U[t]', 'threshold θ', 'spike']))
    expect(marksIn(svg, 'symbol', 'concat_0_layer_3')).toHaveLength(figures(result, 'Total spikes:')[0]!)
  })

  it('gives the same figures for the same seed', async () => {
    const [first, second] = [await demoLif({ directory, seed: 5 }), await demoLif({ directory, seed: 5 })]
    expect(second.lines).toEqual(first.lines)
  })
})

describe('demoConv', () => {
  it('keeps the size and the scale of standard-normal input', async () => {
    const result = await demoConv({ directory })
    expect(figures(result, 'Output:')).toEqual([1, 8, 32, 32])
    expect(Math.abs(figures(result, 'Mean:')[0]!)).toBeLessThan(0.05)
    // 0.848 over all draws of the 216 weights, whose own scatter is 5 %.
    expect(Math.abs(figures(result, 'Std:')[0]! - 0.848)).toBeLessThan(0.13)
    await expectPictures(result, ['conv-filters', 'conv-feature-maps'])
    expect(marksIn(await svgOf('conv-filters'), 'rect', 'layer_1')).toHaveLength(8 * 3 * 9)
    expect(textsIn(await svgOf('conv-filters'))).toEqual(expect.arrayContaining(['f0-ch0', 'f7-ch2']))
    expect(marksIn(await svgOf('conv-feature-maps'), 'rect', 'layer_1')).toHaveLength(8 * 32 * 32)
  })
})

describe('demoNorm', () => {
  it('brings one step, a whole series and each of its steps to mean 0 and deviation 1', async () => {
    const result = await demoNorm({ directory })
    expect(result.lines.filter((line) => line === '  after:  mean 0.000, std 1.000')).toHaveLength(2)
    for (let step = 1; step <= 6; step++) {
      const [meanBefore, stdBefore, ...after] = figures(result, `${step}  `)
      expect(Math.abs(meanBefore! - (step - 1))).toBeLessThan(0.1)
      expect(Math.abs(stdBefore! - (1 + step / 4))).toBeLessThan(0.1)
      expect(after).toEqual([0, 1])
    }
    await expectPictures(result, ['norm-histograms', 'norm-steps'])
  })
})

describe('demoSew', () => {
  it('keeps shapes, spikes in every stage, and exceeds 1 with add only', async () => {
    const result = await demoSew({ directory })
    const rate = (name: string): number => {
      const [, , , , , mean] = figures(result, `${name}:`)
      return mean!
    }
    expect(figures(result, 'output:').slice(0, 5)).toEqual([1, 8, 8, 16, 16])
    expect(Math.abs(rate('input spikes') - 0.2)).toBeLessThan(0.02)
    for (const stage of ['stage 1 spikes', 'stage 2 spikes']) {
      expect(rate(stage)).toBeGreaterThan(0.05)
      expect(rate(stage)).toBeLessThan(0.5)
    }
    const [add, and, iand, mean] = ['add ', 'and ', 'iand ', 'mean '].map((name) => figures(result, name))
    expect([add![1], and![1], iand![1], mean![1]]).toEqual([2, 1, 1, 1])
    expect(add![2]).toBeGreaterThan(0)
    expect([and![2], iand![2], mean![2]]).toEqual([0, 0, 0])
    // O + I;  O I;  I - O I;  (O + I) / 2, all of the same O and I.
    expect(add![0]).toBeCloseTo(rate('input spikes') + rate('stage 2 spikes'), 3)
    expect(and![0]! + iand![0]!).toBeCloseTo(rate('input spikes'), 3)
    expect(mean![0]).toBeCloseTo(add![0]! / 2, 3)
    expect(add![2]! / 100).toBeCloseTo(and![0]!, 3)
    await expectPictures(result, ['sew-rates', 'sew-maps', 'sew-raster'])
    expect(textsIn(await svgOf('sew-raster'))).toContain('above 1')
  })
})

describe('demos', () => {
  it.each(Object.entries(demos))('%s refuses a seed that is not a whole number', async (_, demo) => {
    await expect(demo({ directory, seed: -1 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(demo({ directory, seed: 0.5 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
  })
})
