import { join } from 'node:path'
import type { StudyResult } from '../study/run.js'
import { defineCommand, print } from './command.js'
import { EXIT } from './exit.js'
import { interruptible } from './interrupt.js'
import { json, seed } from './options.js'
import { duration } from './wording.js'

/** As lib/study/parts/registry.ts has them, so that the help need not load the study. */
const parts = ['neuron', 'fi', 'activations', 'networks', 'front'] as const

export const command = defineCommand({
  name: 'study',
  about:
    'Reproduces the analysis of the LIF neuron, checks it against closed forms, and writes a report with pictures and every number: neuron ' +
    'spike counts and currents of every kind; fi firing rate against current; activations ReLU, sigmoid and others fitted to it; networks a dense and a spiking network on MNIST, and ' +
    'what each computes; front the least energy for an accuracy; all (default).',
  positionals: [{ name: 'part', choices: [...parts, 'all'], optional: true, help: 'which one (default: all)' }],
  options: {
    quick: { kind: 'flag', help: 'shorter runs and fewer repetitions' },
    fresh: { kind: 'flag', help: 'compute anew what long parts have kept in the folder' },
    seed: { ...seed, help: 'same seed, same figures (default 0)' },
    out: { kind: 'text', value: 'FOLDER', help: 'where it all goes; parts gather there (default: runs/study)' },
    json,
  },
  examples: ['spikingrx study', 'spikingrx study fi --seed 3', 'spikingrx study all --quick --out study'],
  run: async ({ positionals, values }) => {
    const { out: directory = join('runs', 'study'), quick, fresh, seed: wanted = 0 } = values
    const part = positionals[0]
    const note = (text: string): void => void process.stderr.write(`${text}\n`)
    using stop = interruptible(
      () => note('Stopping; the same command goes on from here. Ctrl-C again quits at once.'),
      () => undefined,
    )
    const { runStudy } = await import('../study/run.js')
    const result = await runStudy({
      directory,
      quick,
      fresh,
      seed: wanted,
      signal: stop.signal,
      ...(part === undefined || part === 'all' ? {} : { parts: [part] }),
      progress: (name, done, what) =>
        note(`${name.padEnd(12)}${String(Math.round(100 * done)).padStart(3)} %  ${what}`),
    }).catch((error: unknown) => {
      if (stop.signal.aborted) return undefined
      throw error
    })
    if (result === undefined) return EXIT.interrupted
    if (values.json) print(JSON.stringify(jsonOf(directory, result)))
    else print(linesOf(result).join('\n'))
    return EXIT.ok
  },
})

function linesOf({ sections, files, report }: StudyResult): readonly string[] {
  const pictures = files.filter((file) => file.endsWith('.svg')).length
  const tables = files.filter((file) => file.endsWith('.csv')).length
  return [
    ...sections.flatMap(({ section, seconds }) => [
      `${section.title} (${duration(seconds)})`,
      ...section.findings.map((finding) => `  ${finding}`),
    ]),
    '',
    `Report: ${report}, with ${pictures} pictures (SVG, PNG) and ${tables} tables (CSV) beside it.`,
  ]
}

function jsonOf(directory: string, { sections, files, report }: StudyResult): object {
  return {
    directory,
    report,
    files,
    sections: sections.map(({ section, settings, seconds }) => {
      const { pictures, ...rest } = section
      return { ...rest, pictures: pictures.map(({ name, caption }) => ({ name, caption })), settings, seconds }
    }),
  }
}
