import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lineChart, renderSvg, voltageTraces } from '../../lib/plot/index.js'
import { csvOf } from '../../lib/report/csv.js'
import { type ReportSection, runStudy, type StudyPart, type StudyResult, studyParts } from '../../lib/study/index.js'
import { runParts } from '../../lib/study/run.js'
import { marksIn, overhang, textsIn } from './plot-svg.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-study-'))
})
afterAll(() => rm(folder, { recursive: true }))

const text = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8')

describe('what is known of one neuron, quick', () => {
  let result: StudyResult
  const told: string[] = []
  beforeAll(async () => {
    const progress = (part: string, done: number) => void told.push(`${part} ${done}`)
    const parts = ['neuron', 'fi', 'activations']
    result = await runStudy({ directory: join(folder, 'all'), quick: true, parts, progress })
  })

  it('reproduces every published figure', () => {
    const table = (name: string) =>
      result.sections.flatMap(({ section }) => section.tables).find((one) => one.name === name)!
    const counts = table('neuron-spike-counts').rows.map(([current, duration, , euler]) => [current, duration, euler])
    expect(counts).toEqual([
      [205, 500, 12],
      [210, 500, 15],
      [210, 200, 6],
      [400, 200, 22],
    ])
    const figures = table('activations-published-figures').rows
    expect(figures).toHaveLength(9)
    expect(figures.map((row) => row[3])).toEqual(Array(9).fill('yes'))
    const rates = table('fi-published')
    expect((rates.rows.at(-1)![3] as number).toFixed(1)).toBe('138.9')
    expect(rates.columns.map(({ name, unit }) => `${name} ${unit}`)).toContain('Euler, published protocol Hz')
  })

  it('makes one page that needs no other file and has each id once', async () => {
    const html = await text('all', 'report.html')
    expect(html).not.toMatch(/<(script|link|img|iframe|object)\b/)
    expect(html.match(/\b(?:src|href)="(?!#|data\/)[^"]*"/g)).toBeNull()
    expect(html).not.toMatch(/@import|url\((?!#)/)
    const ids = Array.from(html.matchAll(/\bid="([^"]+)"/g), ([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const used = Array.from(html.matchAll(/url\(#([^)]+)\)|href="#([^"]+)"/g), ([, a, b]) => a ?? b)
    expect(used.filter((id) => !ids.includes(id))).toEqual([])
    expect(html.match(/<svg/g)).toHaveLength(10)
    for (const { section } of result.sections) {
      expect(html).toContain(`<section id="${section.part}">`)
      for (const { name } of section.pictures) expect(html).toContain(`<figure id="${name}"><svg`)
    }
    expect(html).toContain('seed 0 · quick run')
    expect(html).toMatch(/spikingrx \d+\.\d+\.\d+ · libtorch 2\.\d+/)
  })

  it('writes each picture as SVG and PNG with nothing cut off, each table as CSV, each section as JSON', async () => {
    const pictures = result.sections.flatMap(({ section }) => section.pictures.map(({ name }) => name))
    const tables = result.sections.flatMap(({ section }) => section.tables)
    expect((await readdir(join(folder, 'all', 'pictures'))).sort()).toEqual(
      pictures.flatMap((name) => [`${name}.png`, `${name}.svg`]).sort(),
    )
    for (const name of pictures) expect(overhang(await text('all', 'pictures', `${name}.svg`))).toBe(0)
    for (const table of tables) {
      const lines = (await text('all', 'data', `${table.name}.csv`)).split('\r\n')
      expect(lines).toHaveLength(table.rows.length + 2)
      expect(table.rows.every((row) => row.length === table.columns.length)).toBe(true)
    }
    // All digits of the last published rate.
    expect((await text('all', 'data', 'fi-published.csv')).trimEnd().split(',').at(-1)).toBe('138.88888888888889')
    for (const { section, settings } of result.sections) {
      const stored = JSON.parse(await text('all', 'data', `${section.part}.json`))
      expect(stored.section.findings).toEqual(section.findings)
      expect(stored.settings).toEqual(settings)
    }
    expect(told.at(-1)).toBe('activations 1')
  })

  it('gives the same figures for the same seed, others for another', async () => {
    const rows = async (seed: number) => {
      const { sections } = await runStudy({ directory: join(folder, `seed-${seed}`), quick: true, seed, parts: ['fi'] })
      return sections[0]!.section.tables.find(({ name }) => name === 'fi-noise')!.rows
    }
    const first = await rows(3)
    expect(await rows(3)).toEqual(first)
    expect(await rows(4)).not.toEqual(first)
  })
})

/** A part that counts its runs. */
function part(name: string, kept: boolean): StudyPart & { runs: number } {
  const section: ReportSection = {
    part: name,
    title: `Title <of> "${name}"`,
    text: ['a & b'],
    findings: [],
    parameters: [{ name: 'seed of the part', value: 1 }],
    tables: [
      { name: `${name}-table`, title: 'T', columns: [{ name: 'a' }, { name: 'b', unit: 'ms' }], rows: [[1.5, null]] },
    ],
    pictures: [
      {
        name: `${name}-line`,
        caption: 'a line',
        plot: lineChart({ series: [{ name: 'x', x: [0, 1], y: [0, 1] }], xTitle: 'x', yTitle: 'y', title: 'line' }),
      },
    ],
  }
  return {
    name,
    kept,
    summary: '',
    runs: 0,
    async run() {
      this.runs += 1
      return section
    },
  }
}

describe('parts', () => {
  it('gather in one folder, in the order of the study', async () => {
    const directory = join(folder, 'gathered')
    const known = [part('one', false), part('two', false)]
    await runParts(known, { directory, parts: ['two'] })
    expect(await text('gathered', 'report.html')).not.toContain('<section id="one">')
    const { sections } = await runParts(known, { directory, parts: ['one'] })
    expect(sections.map(({ section }) => section.part)).toEqual(['one'])
    const html = await text('gathered', 'report.html')
    expect(html.indexOf('<section id="one">')).toBeGreaterThan(0)
    expect(html.indexOf('<section id="two">')).toBeGreaterThan(html.indexOf('<section id="one">'))
    expect(html).toContain('Title &lt;of&gt; &quot;one&quot;')
    expect(html).toContain('a &amp; b')
  })

  it('that take long are kept: same seed, extent and version', async () => {
    const directory = join(folder, 'kept')
    const known = [part('short', false), part('long', true)]
    for (const options of [{}, {}, { quick: true }, { quick: true, seed: 1 }, { quick: true, seed: 1 }]) {
      await runParts(known, { directory, ...options })
    }
    expect(known.map(({ runs }) => runs)).toEqual([5, 3])
    // Half a file is none.
    await writeFile(join(directory, 'data', 'long.json'), '{"section":{"part":"long"')
    await runParts(known, { directory, quick: true, seed: 1 })
    expect(known[1]!.runs).toBe(4)
    // Anew: also without what the part had kept for itself.
    const work = join(directory, 'work', 'long')
    await mkdir(work, { recursive: true })
    await writeFile(join(work, 'checkpoint'), '')
    await runParts(known, { directory, quick: true, seed: 1, fresh: true })
    expect(known[1]!.runs).toBe(5)
    await expect(readdir(work)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('stop between two at the signal, and what was finished is stored', async () => {
    const directory = join(folder, 'stopped')
    const stop = new AbortController()
    const stopAfter = () => {
      stop.abort()
      return first.run({} as never)
    }
    const [first, second] = [part('first', true), part('second', true)]
    const known = [{ ...first, run: stopAfter }, second]
    await expect(runParts(known, { directory, signal: stop.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(second.runs).toBe(0)
    expect(await readdir(join(directory, 'data'))).toEqual(['first-table.csv', 'first.json'])
  })

  it('end in typed errors', async () => {
    const directory = join(folder, 'none')
    await expect(runStudy({ directory, parts: ['fy'] })).rejects.toMatchObject({
      code: 'ERR_RANGE',
      message: `runStudy: parts must be among ${studyParts.map(({ name }) => name).join(', ')}, got "fy"`,
    })
    await expect(runStudy({ directory, seed: -1 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await writeFile(join(folder, 'a-file'), '')
    await expect(runParts([part('one', false)], { directory: join(folder, 'a-file') })).rejects.toMatchObject({
      code: 'ERR_REPORT_WRITE',
      message: expect.stringMatching(/^the report can't be written to .*a-file/),
    })
  })
})

describe('tables as CSV', () => {
  it('quote what needs it and keep every digit', () => {
    const columns = [{ name: 'name, of it' }, { name: 'x', unit: 'Hz' }]
    const rows = [
      ['say "a"', 1 / 3],
      ['two\nlines', null],
      [true, -1e-300],
    ]
    expect(csvOf({ name: 't', title: '', columns, rows })).toBe(
      '"name, of it",x (Hz)\r\n"say ""a""",0.3333333333333333\r\n"two\nlines",\r\ntrue,-1e-300\r\n',
    )
  })
})

describe('voltage traces', () => {
  const trace = { title: 'a', times: [0, 1, 2], voltage: [-75, -60, -75], spikes: [1.5], threshold: -55 }

  it('have a time axis each where their times differ, else one below, and a mark for each spike', async () => {
    const longer = { ...trace, title: 'b', times: [0, 1, 4], spikes: [1, 2, 3] }
    const axes = async (...traces: (typeof trace)[]) => {
      const svg = await renderSvg(voltageTraces(traces, { title: 't' }))
      expect(textsIn(svg)).toEqual(
        expect.arrayContaining(['voltage', 'threshold', 'spike', ...traces.map((one) => one.title)]),
      )
      expect(traces.map((_, i) => marksIn(svg, 'symbol', `concat_${i}_layer_2`).length)).toEqual(
        traces.map(({ spikes }) => spikes.length),
      )
      return textsIn(svg).filter((line) => line === 'time (ms)').length
    }
    expect(await axes(trace, { ...trace, title: 'b' })).toBe(1)
    expect(await axes(trace, longer)).toBe(2)
  })

  it('refuse what does not fit together', () => {
    expect(() => voltageTraces([], { title: 't' })).toThrow(/at least one entry/)
    expect(() => voltageTraces([{ ...trace, voltage: [1, 2] }], { title: 't' })).toThrow(
      /voltage of a expects 3 values like the times, got 2/,
    )
    expect(() => voltageTraces([{ ...trace, current: [1] }], { title: 't' })).toThrow(/current of a expects 3 values/)
  })
})
