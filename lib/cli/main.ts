#!/usr/bin/env node
/** The program `spikingrx`: finds the subcommand, runs it, tells errors on one line. */
import { packageVersion } from '../runtime/files.js'
import { asksForHelp, print } from './command.js'
import { commands } from './commands.js'
import { EXIT, EXIT_HELP, type ExitCode } from './exit.js'
import { exitCodeOf, failureText, UsageError } from './failure.js'
import { section } from './help.js'
import { didYouMean } from './suggestion.js'

function overview(): string {
  return [
    'usage: spikingrx <command> [options]',
    'Spiking neural networks on libtorch: train, test, ask and look inside.',
    section(
      'commands',
      commands.map(({ name, summary }) => [name, summary]),
    ),
    section('options', [
      ['--help', 'this text; after a command, its own help'],
      ['--version', 'the version of spikingrx'],
    ]),
    section('environment', [
      ['SPIKINGRX_LIBTORCH', 'folder of the libtorch to use'],
      ['SPIKINGRX_DATA', 'folder in which data sets are looked for'],
      ['SPIKINGRX_DEBUG', '1: errors with their stack'],
    ]),
    section('examples', [
      ['spikingrx train mnist', ''],
      ['spikingrx train fashion-mnist --model mlp --epochs 2', ''],
      ['spikingrx doctor', ''],
    ]),
    section('exit codes', EXIT_HELP),
  ].join('\n\n')
}

async function dispatch(args: readonly string[]): Promise<ExitCode> {
  const [first, ...rest] = args
  if (first === undefined) {
    process.stderr.write(`${overview()}\n`)
    return EXIT.usage
  }
  const command = commands.find(({ name }) => name === (first === 'help' ? rest[0] : first))
  if (command && first === 'help') return (await command.load()).run(['--help'])
  if (command) return (await command.load()).run(rest)
  if (first === 'help' || (first.startsWith('-') && asksForHelp(args))) {
    print(overview())
    return EXIT.ok
  }
  if (first === '--version' || first === '-v') {
    print(packageVersion())
    return EXIT.ok
  }
  const names = commands.map(({ name }) => name)
  if (first.startsWith('-'))
    throw new UsageError(`unknown option ${first}${didYouMean(first.replace(/^-+/, ''), ['help', 'version'], '--')}`)
  throw new UsageError(
    `unknown command ${JSON.stringify(first)}${didYouMean(first, names) || `; there is ${names.join(', ')}`}`,
  )
}

async function main(args: readonly string[]): Promise<void> {
  // A reader that went away (`spikingrx info model | head`) is no reason for a stack.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.failed)
    throw error
  })
  try {
    process.exitCode = await dispatch(args)
  } catch (error) {
    const known = commands.some(({ name }) => name === args[0])
    const who = known ? `spikingrx ${args[0]}` : 'spikingrx'
    const debug = process.env.SPIKINGRX_DEBUG === '1'
    process.stderr.write(`${failureText(error, who, debug)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

await main(process.argv.slice(2))
