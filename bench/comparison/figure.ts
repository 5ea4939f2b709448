/** A figure that is told, and what it should be. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** None: told, but no goal. */
  readonly goal?: Goal
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number }

export function verdict({ goal, value }: Figure): 'reached' | 'missed' | '' {
  if (goal === undefined) return ''
  return ('atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost) ? 'reached' : 'missed'
}

export function goalText(goal: Goal, unit: string): string {
  return 'atLeast' in goal ? `at least ${goal.atLeast} ${unit}` : `at most ${goal.atMost} ${unit}`
}

export function figureLine(figure: Figure): string {
  const { what, value, unit, goal } = figure
  const told = `${what.padEnd(62)} ${shown(value).padStart(8)} ${unit}`
  return goal === undefined ? told : `${told.padEnd(76)} goal ${goalText(goal, unit)}: ${verdict(figure)}`
}

/** Three digits that count. */
export function shown(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 6))
}
