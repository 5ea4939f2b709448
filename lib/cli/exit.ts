/** How the program ends. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The same, for `--help`. */
export const EXIT_HELP: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'failed; the reason is on one line of stderr, its code in brackets'],
  ['2', 'the command line is wrong'],
  ['130', 'interrupted by Ctrl-C'],
]
