/** Time and memory against T, batch, width and threads, and the lines through them. */
import type { Entrant, Field, RunSettings } from './case-run.js'
import type { Axis } from './cases.js'
import { lineThrough } from './line-fit.js'
import type { CaseResult, Scaling, ScalingPoint } from './results.js'

export async function runScaling(
  field: Field,
  axes: readonly Axis[],
  entrants: readonly Entrant[],
  settings: RunSettings,
): Promise<Scaling[]> {
  const found: Scaling[] = []
  for (const axis of axes) {
    const results: { readonly value: number; readonly result: CaseResult }[] = []
    for (const value of axis.values) {
      settings.say(`scaling, ${axis.name} ${value}`)
      results.push({ value, result: await field.run(axis.caseOf(value), entrants, settings) })
    }
    found.push(...scalingOf(axis.name, results))
  }
  return found
}

export function scalingOf(
  axis: string,
  results: readonly { readonly value: number; readonly result: CaseResult }[],
): Scaling[] {
  const peers = new Map(results.flatMap(({ result }) => result.rows.map((row) => [row.peer, row.title])))
  return [...peers].flatMap(([peer, title]) => {
    const points = results.flatMap(({ value, result }): ScalingPoint[] => {
      const row = result.rows.find((one) => one.peer === peer)
      if (row?.timing === undefined) return []
      const { memory } = row
      return [{ value, elements: result.elements, wall: row.timing.wall, ...(memory !== undefined && { memory }) }]
    })
    if (points.length < 2) return []
    if (axis === 'threads') return [{ axis, peer, title, points }]
    const x = points.map(({ value }) => value)
    const memory = points.flatMap((point) => point.memory ?? [])
    return [
      {
        axis,
        peer,
        title,
        points,
        time: lineThrough(
          x,
          points.map(({ wall }) => wall),
        ),
        ...(memory.length === x.length && { memory: lineThrough(x, memory) }),
      },
    ]
  })
}
