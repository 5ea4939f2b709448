/** The results as pictures: times of all peers by case, and time and memory against size. */
import { lineChart } from '../../lib/plot/line-chart.js'
import { savePlot } from '../../lib/plot/render.js'
import { colours, framed, type PlotSpec } from '../../lib/plot/theme.js'
import type { CaseResult, Results, Scaling } from './results.js'

/** Writes `<folder>/peers.svg`, `scaling-*.svg` and their PNGs; gives the files. */
export async function savePictures(folder: string, { cases, scaling, about }: Results): Promise<string[]> {
  const files: string[] = []
  const timed = cases.filter(({ rows }) => rows.some(({ timing }) => timing !== undefined))
  if (timed.length > 0)
    files.push(...(await savePlot(`${folder}/peers`, peersPicture(timed, about.machine), ['svg', 'png'])))
  for (const axis of new Set(scaling.map((one) => one.axis))) {
    const of = scaling.filter((one) => one.axis === axis)
    if (of[0]!.time === undefined) continue
    files.push(...(await savePlot(`${folder}/scaling-${axis}`, scalingPicture(axis, of), ['svg', 'png'])))
  }
  return files
}

/** A panel a case, a bar a peer, on a logarithmic axis of milliseconds. */
export function peersPicture(cases: readonly CaseResult[], machine: string): PlotSpec {
  return framed(
    {
      text: 'Time of one run, forward and backward where trained',
      subtitle: [machine, 'Logarithmic; shorter is better'],
    },
    {
      columns: 2,
      spacing: 30,
      concat: cases.map(({ title, rows }) => ({
        title: { text: title, fontSize: 12 },
        width: 320,
        height: { step: 17 },
        data: {
          values: rows.flatMap(({ title, peer, timing }) =>
            timing === undefined ? [] : [{ title, ms: 1000 * timing.wall, ours: peer.startsWith('spikingrx') }],
          ),
        },
        encoding: { y: { field: 'title', type: 'nominal', sort: null, title: null } },
        layer: [
          {
            mark: { type: 'point', filled: true, size: 70, opacity: 1 },
            encoding: {
              x: { field: 'ms', type: 'quantitative', title: 'ms', scale: { type: 'log' } },
              color: {
                field: 'ours',
                type: 'nominal',
                scale: { domain: [true, false], range: [colours.validation, colours.train] },
                legend: null,
              },
            },
          },
        ],
      })),
    },
  )
}

const AXIS_TITLES: Readonly<Record<string, string>> = { T: 'T, time steps', batch: 'batch', width: 'neurons' }

export function scalingPicture(axis: string, scaling: readonly Scaling[]): PlotSpec {
  return lineChart({
    title: `LIF forward and backward against ${AXIS_TITLES[axis] ?? axis}`,
    subtitle: 'Points: measured; lines: least squares',
    xTitle: AXIS_TITLES[axis] ?? axis,
    yTitle: 'ms',
    xWhole: true,
    yFromZero: true,
    series: scaling.flatMap(({ title, points, time }) => {
      const x = points.map(({ value }) => value)
      const fitted = time && {
        name: `${title}, line`,
        x,
        y: x.map((value) => 1000 * (time.intercept + time.slope * value)),
        style: 'dashed' as const,
      }
      const measured = { name: title, x, y: points.map(({ wall }) => 1000 * wall), style: 'points' as const }
      return fitted ? [measured, fitted] : [measured]
    }),
  })
}
