import { describe, expect, it } from 'vitest'
import { commands } from '../../lib/cli/commands.js'
import { EXIT } from '../../lib/cli/exit.js'
import { exitCodeOf, failureText, UsageError } from '../../lib/cli/failure.js'
import { commandHelp } from '../../lib/cli/help.js'
import { type Options, parseOptions } from '../../lib/cli/options.js'
import { didYouMean } from '../../lib/cli/suggestion.js'
import { CheckpointError } from '../../lib/errors.js'

const options = {
  epochs: { kind: 'integer', min: 1, max: 10, help: 'how often' },
  lr: { kind: 'number', min: 0, help: 'learning rate' },
  model: { kind: 'choice', choices: ['sew', 'mlp'], help: 'which' },
  device: { kind: 'text', help: 'where', pattern: { matches: /^(cpu|cuda)$/, wanted: 'cpu or cuda' } },
  json: { kind: 'flag', help: 'as JSON' },
} as const satisfies Options

describe('parseOptions', () => {
  it('reads values of every kind, wherever they stand', () => {
    const { positionals, values } = parseOptions(
      ['--lr', '1e-3', 'mnist', '--epochs=3', '--json', '--model', 'mlp', '--device', 'cpu', '--', '--other'],
      options,
    )
    expect(positionals).toEqual(['mnist', '--other'])
    expect(values).toEqual({ epochs: 3, lr: 0.001, model: 'mlp', device: 'cpu', json: true })
  })

  it('gives undefined for what was not given, false for a flag', () => {
    expect(parseOptions([], options).values).toEqual({
      epochs: undefined,
      lr: undefined,
      model: undefined,
      device: undefined,
      json: false,
    })
  })

  it('takes the last of several values', () => {
    expect(parseOptions(['--epochs', '2', '--epochs', '4'], options).values.epochs).toBe(4)
  })

  it.each([
    [['--epoch', '3'], 'unknown option --epoch; did you mean --epochs?'],
    [['-x'], 'unknown option -x'],
    [['--constructor'], 'unknown option --constructor'],
    [['--epochs'], '--epochs needs a value: a whole number from 1 to 10'],
    [['--epochs', '--json'], '--epochs needs a value: a whole number from 1 to 10'],
    [['--epochs='], '--epochs needs a value: a whole number from 1 to 10'],
    [['--epochs', '0'], '--epochs must be a whole number from 1 to 10, got "0"'],
    [['--epochs', '-3'], '--epochs must be a whole number from 1 to 10, got "-3"'],
    [['--epochs', '2.5'], '--epochs must be a whole number from 1 to 10, got "2.5"'],
    [['--epochs', '0x4'], '--epochs must be a whole number from 1 to 10, got "0x4"'],
    [['--lr', 'Infinity'], '--lr must be a number of at least 0, got "Infinity"'],
    [['--lr', 'fast'], '--lr must be a number of at least 0, got "fast"'],
    [['--model', 'swe'], '--model must be sew or mlp, got "swe"; did you mean sew?'],
    [['--device', 'gpu'], '--device must be cpu or cuda, got "gpu"'],
    [['--json=yes'], '--json takes no value, got "yes"'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args, options)).toThrow(new UsageError(message))
  })
})

describe('didYouMean', () => {
  const names = commands.map(({ name }) => name)

  it.each([
    ['trian', 'train'],
    ['tran', 'train'],
    ['eval', 'evaluate'],
    ['Train', 'train'],
    ['docter', 'doctor'],
    ['ifno', 'info'],
  ])('takes %s for %s', (word, name) => {
    expect(didYouMean(word, names)).toBe(`; did you mean ${name}?`)
  })

  it('has no idea for a word that is like none', () => {
    expect(didYouMean('quantise', names)).toBe('')
    expect(didYouMean('', names)).toBe('')
  })
})

describe('failures', () => {
  const failure = new CheckpointError(
    'model.safetensors was not found.\n  Looked at:\n  - here',
    'ERR_CHECKPOINT_MISSING',
  )

  it('are one line with the code', () => {
    expect(failureText(failure, 'spikingrx info', false)).toBe(
      'spikingrx info: model.safetensors was not found. Looked at: - here [ERR_CHECKPOINT_MISSING]',
    )
    expect(failureText(new UsageError('needs an image'), 'spikingrx predict', false)).toBe(
      'spikingrx predict: needs an image (see spikingrx predict --help) [ERR_USAGE]',
    )
    expect(failureText(new TypeError('x is not a function'), 'spikingrx', false)).toBe(
      'spikingrx: x is not a function (SPIKINGRX_DEBUG=1 shows where) [ERR_UNEXPECTED]',
    )
  })

  it('show the stacks of all causes when asked', () => {
    const outer = new CheckpointError('no', 'ERR_CHECKPOINT_READ', {}, new Error('disk on fire'))
    const text = failureText(outer, 'spikingrx', true)
    expect(text).toContain('caused by Error: disk on fire')
    expect(text).toContain('cli-options.test.ts')
  })

  it('end with 2 for a wrong command line, else with 1', () => {
    expect(exitCodeOf(new UsageError('no'))).toBe(EXIT.usage)
    expect(exitCodeOf(failure)).toBe(EXIT.failed)
  })
})

describe('commandHelp', () => {
  it('names usage, arguments, options and exit codes, in lines of at most 100 characters', () => {
    const text = commandHelp({
      name: 'train',
      about: 'Trains. '.repeat(30).trim(),
      positionals: [{ name: 'data set', choices: ['mnist'], help: 'digits' }],
      options,
      notes: ['A note.'],
      examples: ['spikingrx train mnist'],
    })
    expect(text).toMatch(/^usage: spikingrx train <mnist> \[options\]\n/)
    expect(text).toContain('  --model sew|mlp  which\n')
    expect(text).toContain('  --epochs N       how often\n')
    expect(text).toContain('  130  interrupted by Ctrl-C')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })
})
