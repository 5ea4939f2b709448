import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { studyParts } from '../../lib/study/index.js'
import { spikingrx } from './cli-program.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-study-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('spikingrx study', () => {
  it('writes the report of one part, and says where and what came out', async () => {
    const { code, stdout, stderr } = await spikingrx(['study', 'activations', '--quick', '--out', 'out'], {
      cwd: folder,
    })
    expect(code).toBe(0)
    expect(stdout).toContain('slope 0.4278 Hz/pA, offset 141.5 pA, R² 0.9784 (published .4278, 141.5, .9784)')
    expect(stdout).toMatch(
      /^Report: out\/report\.html, with 3 pictures \(SVG, PNG\) and 4 tables \(CSV\) beside it\.$/m,
    )
    expect(stderr).toMatch(/^activations {2}40 % {2}up to 20 rheobases$/m)
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['data', 'pictures', 'report.html'])
  })

  it('runs every part by default, and prints JSON when asked', async () => {
    const { code, stdout } = await spikingrx(['study', '--quick', '--seed', '2', '--json'], { cwd: folder })
    expect(code).toBe(0)
    const { report, sections, files } = JSON.parse(stdout)
    expect(report).toBe('runs/study/report.html')
    expect(sections.map(({ part }: { part: string }) => part)).toEqual(studyParts.map(({ name }) => name))
    expect(sections[0].settings).toMatchObject({ seed: 2, quick: true })
    expect(files).toContain('runs/study/data/fi.json')

    const rows = (name: string) =>
      sections
        .flatMap(({ tables }: { tables: { name: string; rows: (string | number)[][] }[] }) => tables)
        .find((table: { name: string }) => table.name === name).rows
    expect(rows('networks-operations')[0].slice(0, 5)).toEqual(['dense', 'everything', 268_800, 0, 0])
    for (const [, spikes, flops, operations, ratio] of rows('networks-published')) {
      expect(flops).toBe(537_600)
      expect(operations).toBeCloseTo(256 * spikes, 6)
      expect(ratio).toBeCloseTo(537_600 / (256 * spikes), 9)
    }
    const [[, , , , , , , , , energy, ratio], [, , , , , , , , , , skipping]] = rows('front-networks')
    expect([energy, ratio]).toEqual([1236.48, 1])
    expect(skipping).toBeGreaterThan(2)
    expect(rows('front-networks').map((row: unknown[]) => row.at(-1))).toContain(true)
    expect(await readdir(join(folder, 'runs/study/pictures'))).toEqual(
      expect.arrayContaining(['front.png', 'front.svg', 'networks-accuracy.png', 'networks-accuracy.svg']),
    )
  }, 300_000)

  it('names its parts in the help, and an unknown one on one line', async () => {
    const [help, wrong] = await Promise.all([spikingrx(['study', '--help']), spikingrx(['study', 'neurons'])])
    const choices = [...studyParts.map(({ name }) => name), 'all'].join('|')
    expect(help.stdout).toContain(`usage: spikingrx study [${choices}] [options]`)
    expect([wrong.code, wrong.stdout]).toEqual([2, ''])
    expect(wrong.stderr).toMatch(/^spikingrx study: unknown part "neurons"; did you mean neuron\?.* \[ERR_USAGE\]$/)
  })
})
