import type { Cell, ReportTable } from './section.js'

/**
 * A table as RFC 4180 writes it: a line of names with their units, then a line a row; numbers with all their digits, nothing for null.
 */
export function csvOf({ columns, rows }: ReportTable): string {
  const names = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`))
  return [names, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

function field(cell: Cell): string {
  const text = cell === null ? '' : String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
