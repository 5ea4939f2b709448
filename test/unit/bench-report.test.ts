import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allCases, axes, groups } from '../../bench/comparison/cases.js'
import { verdict } from '../../bench/comparison/figure.js'
import { eventFigures, figuresOf } from '../../bench/comparison/goals.js'
import { parseBenchOptions } from '../../bench/comparison/options.js'
import { peers } from '../../bench/comparison/peers.js'
import { savePictures } from '../../bench/comparison/picture.js'
import type { CaseResult, Results, Row } from '../../bench/comparison/results.js'
import { scalingOf } from '../../bench/comparison/scaling-run.js'
import { caseTable, eventTable, markdown, overviews, scalingTable, table } from '../../bench/comparison/table.js'

function row(peer: string, wall: number, more: Partial<Row> = {}): Row {
  return { peer, title: peer, timing: { wall, processor: wall, repetitions: 3, fastest: wall }, ...more }
}

function result(id: string, rows: readonly Row[], elements = 1024): CaseResult {
  return { id, group: 'lif', title: `case ${id}`, threads: 1, elements, rows }
}

const about = { date: '2026-01-01', command: 'npm run bench', machine: 'a machine', software: 'some', settings: 'few' }

describe('the tables', () => {
  it('shows times, ratios, and why a peer is absent', () => {
    const text = caseTable(
      result('x', [
        row('spikingrx', 0.002, { memory: 8192 }),
        row('jax', 0.005, { memory: 4096, compileSeconds: 1.25, agreement: '0 of 4 | equal' }),
        { peer: 'norse', title: 'norse', absent: 'pip could not install it' },
      ]),
    )
    expect(text).toBe(
      [
        '### case x',
        '',
        '|  | ms | x ours | processor ms | memory, x input | compile s | values |',
        '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
        '| spikingrx | 2.00 | 1.00 | 2.00 | 2.00 |  |  |',
        '| jax | 5.00 | 2.50 | 5.00 | 1.00 | 1.25 | 0 of 4 \\| equal |',
        '| norse | absent: pip could not install it |  |  |  |  |  |',
      ].join('\n'),
    )
  })

  it('leaves out columns without a value, and shows accuracy in percent', () => {
    const text = caseTable(result('x', [row('spikingrx', 1, { figures: { loss: 0.25, accuracy: 0.9312 } })]))
    expect(text).toContain('|  | ms | x ours | processor ms | values |')
    expect(text).toContain('| loss 0.2500, 93.12 % right |')
  })

  it('puts cases of one family side by side', () => {
    const cases = [
      result('x', [row('spikingrx', 0.002), row('jax', 0.005)]),
      {
        ...result('y', [row('spikingrx', 0.001), { peer: 'jax', title: 'jax', absent: 'gone' }]),
        group: 'conv' as const,
      },
      { ...result('z', [row('spikingrx', 1)]), group: 'sew' as const },
    ]
    expect(overviews(cases)).toEqual([
      [
        '### LIF, forward and backward',
        '',
        '| ms (x ours) | case x | case y |',
        '| --- | ---: | ---: |',
        '| spikingrx | 2.00 (1.00) | 1.00 (1.00) |',
        '| jax | 5.00 (2.50) |  |',
      ].join('\n'),
    ])
  })

  it('aligns words to the left', () => {
    expect(table(['a', 'b', 'c'], [['x', '1', 'word']])).toBe('| a | b | c |\n| --- | ---: | --- |\n| x | 1 | word |')
  })

  it('tells machine, command, versions and goals', () => {
    const cases = [result('lif-500x16x1024', [row('copy', 1), row('spikingrx', 1.2)])]
    const text = markdown({
      about,
      versions: { a: { torch: '2.13.0' }, b: { torch: '2.13.0', norse: '1.1.0' } },
      cases,
      scaling: [],
      event: undefined,
      figures: figuresOf(cases),
    })
    expect(text).toContain('Command: `npm run bench`. 2026-01-01, a machine. some. few.')
    expect(text).toContain('Peers: norse 1.1.0, torch 2.13.0.')
    expect(text).toContain('through the API over the copy bound | 1.20 x | at most 1.5 x | reached |')
  })
})

describe('the goals', () => {
  it('leave out what was not measured', () => {
    expect(figuresOf([])).toEqual([])
    expect(figuresOf([result('lif-500x16x256', [row('jax', 1)])])).toEqual([])
  })

  it('divide by our row in the same neuron', () => {
    const cases = [
      result('lif-500x16x256', [row('spikingrx', 2), row('spikingrx-delayed', 1), row('snntorch', 30), row('jax', 3)]),
    ]
    expect(figuresOf(cases).map(({ value, goal }) => [value, goal])).toEqual([
      [30, { atLeast: 10 }],
      [1.5, { atLeast: 1.1 }],
    ])
  })

  it('count memory in inputs and accuracy in points', () => {
    const accuracy = (value: number): Partial<Row> => ({ figures: { accuracy: value, loss: 1 } })
    const figures = figuresOf([
      result('lif-500x16x1024', [row('spikingrx', 1, { memory: 12_288 })]),
      result('mnist', [row('spikingrx', 1, accuracy(0.95)), row('spikingjelly', 5, accuracy(0.942))]),
    ])
    expect(figures.map(({ what }) => what)).toEqual([
      'LIF [500, 16, 1024], 31 MiB: peak extra memory over the input',
      'MNIST: SpikingJelly over spikingrx',
      'MNIST: accuracy apart from SpikingJelly',
      'MNIST: mean loss apart from SpikingJelly',
    ])
    expect(figures[0]!.value).toBe(3)
    expect(figures[2]!.value).toBeCloseTo(0.8, 9)
    expect(figures[2]!.unit).toBe('points')
  })
})

describe('products by events', () => {
  const at = (rows: number, activity: number, denseFloat32: number) => ({
    ...{ width: 1024, rows, activity, event: 0.001, denseFloat32, denseBfloat16: 0.002 },
  })

  it('have goals at 5 and 10 percent, beside what bfloat16 takes', () => {
    const figures = eventFigures({ linear: [at(1, 0.05, 0.02), at(16, 0.1, 0.002), at(16, 0.2, 0.001)] })
    expect(figures.map((figure) => [figure.what, figure.value, verdict(figure)])).toEqual([
      ['Linear 1024, 1 row, 5 % spikes: dense float32 over events', 20, 'reached'],
      ['Linear 1024, 1 row, 5 % spikes: dense bfloat16 over events', 2, ''],
      ['Linear 1024, 16 rows, 10 % spikes: dense float32 over events', 2, 'missed'],
      ['Linear 1024, 16 rows, 10 % spikes: dense bfloat16 over events', 2, ''],
      ['Linear 1024, 16 rows, 20 % spikes: dense float32 over events', 1, ''],
      ['Linear 1024, 16 rows, 20 % spikes: dense bfloat16 over events', 2, ''],
    ])
    expect(eventTable([at(16, 0.1, 0.002)])).toContain('| 1024 x 1024 | 16 | 10.0 % | 1.00 | 2.00 | 2.00 | 2.00 |')
  })

  it.each([undefined, null, { absent: 'it ended with 1' }, { linear: 3 }])('are none in %j', (event) => {
    expect(eventFigures(event)).toEqual([])
  })
})

describe('scaling', () => {
  const at = (value: number, wall: number, memory?: number) => ({
    value,
    result: result(`T${value}`, [row('spikingrx', wall, memory === undefined ? {} : { memory })]),
  })

  it('puts a line through time and memory', () => {
    const [found] = scalingOf('T', [at(500, 0.001, 2048), at(1000, 0.002, 4096), at(4000, 0.008, 16_384)])
    expect(found!.time!.slope).toBeCloseTo(2e-6, 15)
    expect(found!.memory!.slope).toBeCloseTo(4.096, 9)
    const text = scalingTable([found!])
    expect(text).toContain('| T | spikingrx | 500 to 4000 | 2.00 µs a step | 1.0000 | 0.00400 KiB a step | 1.0000 |')
  })

  it('tells how much faster more threads are', () => {
    const found = scalingOf('threads', [at(1, 0.003), at(2, 0.002)])
    expect(found[0]!.time).toBeUndefined()
    expect(scalingTable(found)).toContain('| 1 to 2 | 1.50 x as fast |')
  })

  it('has no line through one point, nor memory where one is missing', () => {
    expect(scalingOf('T', [at(500, 1)])).toEqual([])
    expect(scalingOf('T', [at(500, 1, 5), at(1000, 2)])[0]!.memory).toBeUndefined()
  })
})

describe('the pictures', () => {
  it('are drawn of whatever was measured', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-pictures-'))
    try {
      const absent: Row = { peer: 'norse', title: 'norse', absent: 'not installed' }
      const cases = [result('x', [row('spikingrx', 0.002), row('jax', 0.2), absent])]
      const scaling = scalingOf('T', [
        { value: 500, result: result('a', [row('spikingrx', 0.001)]) },
        { value: 1000, result: result('b', [row('spikingrx', 0.002)]) },
      ])
      const results: Results = { about, versions: {}, cases, scaling, event: undefined, figures: [] }
      const files = await savePictures(folder, results)
      expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
        'peers.svg',
        'peers.png',
        'scaling-T.svg',
        'scaling-T.png',
      ])
      const svg = readFileSync(files[0]!, 'utf8')
      for (const text of ['case x', 'spikingrx', 'jax']) expect(svg).toContain(text)
      expect(svg).not.toContain('norse')
      expect(readFileSync(files[2]!, 'utf8')).toContain('T, time steps')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the options', () => {
  it('have defaults, quick and full', () => {
    expect(parseBenchOptions([])).toMatchObject({ full: false, groups, repetitions: 5, budget: 1.5 })
    expect(parseBenchOptions(['--full'])).toMatchObject({ full: true, repetitions: 15, budget: 8 })
    expect(parseBenchOptions(['--help'])).toBe('help')
  })

  it('choose cases and peers, with what those are compared with', () => {
    expect(parseBenchOptions(['--cases', 'conv,lif', '--peers', 'snntorch'])).toMatchObject({
      groups: ['lif', 'conv'],
      peers: ['spikingrx', 'spikingrx-delayed', 'snntorch'],
    })
  })

  it.each([
    [['--cases', 'lif,nothing'], '--cases: there is no "nothing", only lif, conv'],
    [['--peers', 'tensorflow'], '--peers: there is no "tensorflow", only copy'],
    [['--repetitions', '0'], '--repetitions must be a positive whole number, got "0"'],
    [['--repetitions', '1.5'], '--repetitions must be a positive whole number, got "1.5"'],
    [['--budget', 'long'], '--budget must be a positive number, got "long"'],
    [['--processors', 'all'], '--processors must be a list such as 0 or 0,2-3, got "all"'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuse %j', (args, message) => {
    expect(() => parseBenchOptions(args)).toThrow(message)
  })
})

describe('the cases', () => {
  it.each([false, true])('name peers that exist, and have ids of their own (full: %s)', (full) => {
    const cases = [...allCases(full), ...axes(full).flatMap(({ values, caseOf }) => values.map(caseOf))]
    const ids = peers.map(({ id }) => id)
    for (const { peers: named } of cases) for (const id of named) expect(ids).toContain(id)
    const own = allCases(full).map(({ id }) => id)
    expect(new Set(own).size).toBe(own.length)
  })

  it('are those that the goals read', () => {
    const everyPeer = peers.map(({ id }) => row(id, 1, { memory: 1, figures: { loss: 1, accuracy: 1 } }))
    const figures = figuresOf(allCases(true).map(({ id }) => result(id, everyPeer)))
    expect(figures.length).toBeGreaterThanOrEqual(38)
    expect(figuresOf([]).length).toBe(0)
  })
})
