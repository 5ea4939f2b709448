import { formatShape } from './shape.js'
import type { NetworkSpec } from './spec.js'

/** A network as a table: layer, output shape at each step, trained values. */
export function summaryTable(spec: NetworkSpec): string {
  const count = (value: number): string => value.toLocaleString('en-US')
  const rows = [
    ['layer', 'output', 'parameters'],
    ['input', formatShape(spec.input), ''],
    ...spec.summary.map(({ name, kind, output, parameters }) => [
      `${name.replace('layers.', '')} ${kind}`,
      formatShape(output),
      parameters === 0 ? '' : count(parameters),
    ]),
    ['', '', ''],
    [`${spec.name ?? 'network'}, ${spec.steps} time step${spec.steps === 1 ? '' : 's'}`, '', count(spec.parameters)],
  ]
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const [first, second, third] = [width(0), width(1), width(2)]
  return rows
    .map(([layer = '', output = '', parameters = '']) =>
      `${layer.padEnd(first)}  ${output.padEnd(second)}  ${parameters.padStart(third)}`.trimEnd(),
    )
    .join('\n')
}
