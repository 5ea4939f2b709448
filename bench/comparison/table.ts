/** The results as Markdown. */
import type { Group } from './cases.js'
import { type Figure, goalText, shown, verdict } from './figure.js'
import { type EventRow, eventRows } from './goals.js'
import { type CaseResult, type Results, rowOf, type Scaling } from './results.js'

const OURS = 'spikingrx'

export function markdown({ about, cases, scaling, event, figures, versions }: Results): string {
  const parts = [
    `Command: \`${about.command}\`. ${about.date}, ${about.machine}. ${about.software}. ${about.settings}.`,
    `Peers: ${versionList(versions)}.`,
    ...overviews(cases),
    ...cases.map(caseTable),
    ...(scaling.length > 0 ? [scalingTable(scaling)] : []),
    ...(eventRows(event).length > 0 ? [eventTable(eventRows(event))] : []),
    ...(figures.length > 0 ? [figureTable(figures)] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function versionList(versions: Results['versions']): string {
  const all = new Map(Object.values(versions).flatMap((of) => Object.entries(of).map((pair) => [pair.join(' '), pair])))
  return [...all.keys()].sort().join(', ')
}

/** Cases of one family side by side. */
const FAMILIES: readonly { readonly title: string; readonly groups: readonly Group[] }[] = [
  { title: 'LIF, forward and backward', groups: ['lif', 'conv'] },
  { title: 'Linear + LIF, forward and backward', groups: ['linear'] },
  { title: 'Training', groups: ['sew', 'mnist'] },
  { title: 'Inference', groups: ['predict'] },
]

/** A table a family: a row a peer, a column a case; milliseconds, and how many times ours that is. */
export function overviews(cases: readonly CaseResult[]): string[] {
  return FAMILIES.flatMap(({ title, groups }) => {
    const of = cases.filter(({ group }) => groups.includes(group))
    if (of.length < 2) return []
    const peers = new Map(of.flatMap(({ rows }) => rows.map((row) => [row.peer, row.title])))
    const rows = [...peers].map(([peer, name]) => [name, ...of.map((result) => overviewCell(result, peer))])
    const heads = ['ms (x ours)', ...of.map(({ title }) => title)]
    return [`### ${title}\n\n${table(heads, rows)}`]
  })
}

function overviewCell(result: CaseResult, peer: string): string {
  const [timing, ours] = [rowOf(result, peer)?.timing, rowOf(result, OURS)?.timing]
  if (timing === undefined) return ''
  return ours === undefined
    ? milliseconds(timing.wall)
    : `${milliseconds(timing.wall)} (${shown(timing.wall / ours.wall)})`
}

/** One case: times, their ratio to ours, processor time, memory, compile time, what the values are like. */
export function caseTable(result: CaseResult): string {
  const ours = rowOf(result, OURS)?.timing?.wall
  const bytes = 4 * result.elements
  const rows = result.rows.map((row) => {
    const { timing, memory, compileSeconds } = row
    if (timing === undefined) return [row.title, `absent: ${row.absent ?? 'not measured'}`, '', '', '', '', '']
    return [
      row.title,
      milliseconds(timing.wall),
      ours === undefined ? '' : shown(timing.wall / ours),
      milliseconds(timing.processor),
      memory === undefined || row.peer === 'copy' ? '' : shown(memory / bytes),
      compileSeconds === undefined ? '' : shown(compileSeconds),
      row.figures === undefined ? (row.agreement ?? '') : figureList(row.figures),
    ]
  })
  const heads = ['', 'ms', 'x ours', 'processor ms', 'memory, x input', 'compile s', 'values']
  const used = heads.map((_, k) => k < 2 || rows.some((row) => row[k] !== ''))
  const kept = (cells: readonly string[]): string[] => cells.filter((_, k) => used[k])
  return `### ${result.title}\n\n${table(kept(heads), rows.map(kept))}`
}

function figureList(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) =>
      name === 'accuracy' ? `${(100 * value).toFixed(2)} % right` : `${name} ${value.toFixed(4)}`,
    )
    .join(', ')
}

const UNITS: Readonly<Record<string, string>> = { T: 'step', batch: 'sample', width: 'neuron' }

export function scalingTable(scaling: readonly Scaling[]): string {
  const rows = scaling.map(({ axis, title, points, time, memory }) => {
    const [first, last] = [points[0]!, points.at(-1)!]
    const range = `${first.value} to ${last.value}`
    if (time === undefined) return [axis, title, range, `${shown(first.wall / last.wall)} x as fast`, '', '', '']
    const unit = UNITS[axis] ?? 'unit'
    return [
      axis,
      title,
      range,
      `${shown(1e6 * time.slope)} µs a ${unit}`,
      time.rSquared.toFixed(4),
      memory === undefined ? '' : `${shown(memory.slope / 1024)} KiB a ${unit}`,
      memory === undefined ? '' : memory.rSquared.toFixed(4),
    ]
  })
  return `### Scaling\n\n${table(['against', '', 'from, to', 'time', 'R²', 'memory', 'R²'], rows)}`
}

/** Milliseconds of one product, by events and densely. */
export function eventTable(rows: readonly EventRow[]): string {
  const cells = rows.map(({ width, rows, activity, event, denseFloat32, denseBfloat16 }) => [
    `${width} x ${width}`,
    String(rows),
    `${shown(100 * activity)} %`,
    milliseconds(event),
    milliseconds(denseFloat32),
    milliseconds(denseBfloat16),
    shown(denseFloat32 / event),
  ])
  const heads = [
    'weights',
    'rows',
    'spikes',
    'events, ms',
    'dense float32, ms',
    'dense bfloat16, ms',
    'float32 over events',
  ]
  return `### Linear layer by events and densely\n\n${table(heads, cells)}`
}

export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    `${shown(figure.value)} ${figure.unit}`.trim(),
    figure.goal === undefined ? '' : goalText(figure.goal, figure.unit),
    verdict(figure),
  ])
  return `### Goals\n\n${table(['', 'measured', 'goal', ''], rows)}`
}

function milliseconds(seconds: number): string {
  return shown(1000 * seconds)
}

/** First column to the left, numbers to the right. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const number = (k: number): boolean => rows.every((row) => /^([\d.,-]|$|absent)/.test(row[k] ?? ''))
  const ruler = heads.map((_, k) => (k > 0 && number(k) ? '---:' : '---'))
  return [line(heads), `| ${ruler.join(' | ')} |`, ...rows.map(line)].join('\n')
}
