/** Help texts, laid out for 100 columns. */
import { EXIT_HELP } from './exit.js'
import type { Option, Options } from './options.js'

const WIDTH = 100

/** An argument without a name before it. */
export interface Positional {
  readonly name: string
  readonly help: string
  /** The only values it can have. */
  readonly choices?: readonly string[]
  /** It may be left out. */
  readonly optional?: true
}

export interface HelpContent {
  readonly name: string
  /** What it does, in a sentence or two. */
  readonly about: string
  readonly positionals: readonly Positional[]
  readonly options: Options
  /** Paragraphs after the options. */
  readonly notes?: readonly string[]
  readonly examples: readonly string[]
}

/** What `spikingrx <name> --help` prints. */
export function commandHelp({ name, about, positionals, options, notes = [], examples }: HelpContent): string {
  const usage = ['spikingrx', name, ...positionals.map(placeholder), '[options]'].join(' ')
  const help: [string, string] = ['--help', 'this text']
  const sections = [
    `usage: ${usage}`,
    wrap(about, WIDTH),
    section(
      'arguments',
      positionals.map((one) => [placeholder(one), one.help]),
    ),
    section('options', [
      ...Object.entries(options).map(([flag, option]): [string, string] => [optionName(flag, option), option.help]),
      help,
    ]),
    ...notes.map((note) => wrap(note, WIDTH)),
    section(
      'examples',
      examples.map((line) => [line, '']),
    ),
    section('exit codes', EXIT_HELP),
  ]
  return sections.filter((text) => text !== '').join('\n\n')
}

/** A heading with two columns below it; nothing without rows. */
export function section(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return ''
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  const lines = rows.map(([left, right]) => {
    if (right === '') return `  ${left}`
    const [first = '', ...rest] = wrap(right, WIDTH - width - 2).split('\n')
    return [`  ${left.padEnd(width)}${first}`, ...rest.map((line) => `${' '.repeat(width + 2)}${line}`)].join('\n')
  })
  return `${title}:\n${lines.join('\n')}`
}

function wrap(text: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

function placeholder({ name, choices, optional }: Positional): string {
  if (optional) return `[${choices?.join('|') ?? name}]`
  return choices ? `<${choices.join('|')}>` : `<${name}>`
}

function optionName(flag: string, option: Option): string {
  if (option.kind === 'flag') return `--${flag}`
  if (option.kind === 'choice') return `--${flag} ${option.choices.join('|')}`
  return `--${flag} ${option.value ?? (option.kind === 'text' ? 'TEXT' : 'N')}`
}
