/** A subcommand: its arguments, its help, and what it does. */
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { UsageError } from './failure.js'
import { commandHelp, type HelpContent } from './help.js'
import { type Options, type Parsed, parseOptions } from './options.js'
import { didYouMean } from './suggestion.js'

export interface CommandDefinition<O extends Options> extends HelpContent {
  readonly options: O
  /** Does the work with arguments that were checked; there is one positional for each that was described and must be. */
  run(parsed: Parsed<O>): Promise<ExitCode>
}

export interface Command {
  /** Parses, checks and runs. @throws UsageError */
  run(args: readonly string[]): Promise<ExitCode>
}

export function defineCommand<const O extends Options>(definition: CommandDefinition<O>): Command {
  const { positionals: wanted, options } = definition
  return {
    async run(args) {
      if (asksForHelp(args)) {
        print(commandHelp(definition))
        return EXIT.ok
      }
      const parsed = parseOptions(args, options)
      wanted.forEach(({ name, choices, optional }, index) => {
        const given = parsed.positionals[index]
        if (given === undefined && optional === true) return
        const what = choices === undefined ? `<${name}>` : `${name}: ${choices.join(' or ')}`
        if (given === undefined) throw new UsageError(`needs ${what}`)
        if (choices && !choices.includes(given)) {
          const known = choices.join(', ')
          throw new UsageError(
            `unknown ${name} ${JSON.stringify(given)}${didYouMean(given, choices) || `; there is ${known}`}`,
          )
        }
      })
      const extra = parsed.positionals[wanted.length]
      if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`)
      return definition.run(parsed)
    },
  }
}

/** `--help` or `-h` anywhere before a `--`. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? undefined : end).some((arg) => arg === '--help' || arg === '-h')
}

/** One or more lines on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
