// spikingrx beside the libraries that people would leave for it, measured in one run.
//
//   npm run bench                         under 5 minutes
//   npm run bench -- --full               under 40 minutes
//   npm run bench -- --cases lif,conv --peers snntorch,jax
//
// Every peer is a process of its own that stays alive (bench/peers/comparison), with the same inputs, read from the same files,
// and the same threads. For each case all peers compute once; spikes and gradients are compared; those that agree are timed in
// turns, and the median is told. Compile time is measured apart. Peers that can't be installed are told as absent.
// Python's packages come from bench/peers/requirements into the user cache.
//
// Writes bench/results/bench.json, bench.md and pictures. Exits with 1 when a goal is missed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runtime } from '../lib/runtime/addon.js'
import { entrantOf, Field, type RunSettings } from './comparison/case-run.js'
import { allCases, axes } from './comparison/cases.js'
import { figureLine, shown, verdict } from './comparison/figure.js'
import { eventFigures, figuresOf } from './comparison/goals.js'
import { type BenchOptions, help, parseBenchOptions } from './comparison/options.js'
import { peers } from './comparison/peers.js'
import { savePictures } from './comparison/picture.js'
import type { CaseResult, Results } from './comparison/results.js'
import { runScaling } from './comparison/scaling-run.js'
import { markdown } from './comparison/table.js'
import { machine } from './machine.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

async function main(): Promise<boolean> {
  const options = parseBenchOptions(process.argv.slice(2))
  if (options === 'help') {
    console.log(help)
    return true
  }
  const began = performance.now()
  const about = {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: machine(),
    software: `Node ${process.versions.node}, libtorch ${runtime().native.versions().libtorch}`,
    settings: `one thread, median of up to ${options.repetitions} interleaved repetitions`,
  }
  for (const [name, text] of Object.entries(about)) console.log(`${name}: ${text}`)

  const found = await measure(options)
  const figures = [...figuresOf(found.cases), ...eventFigures(found.event)]
  const results: Results = { about, ...found, figures }
  const folder = options.out ?? join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bench.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(join(folder, 'bench.md'), markdown(results))
  const pictures = await savePictures(folder, results)
  console.log()
  for (const figure of figures) console.log(figureLine(figure))
  console.log(`\nwrote ${[join(folder, 'bench.json'), join(folder, 'bench.md'), ...pictures].join(', ')}`)
  console.log(`after ${((performance.now() - began) / 1000).toFixed(0)} s`)
  return figures.every((figure) => verdict(figure) !== 'missed')
}

async function measure(options: BenchOptions): Promise<Omit<Results, 'about' | 'figures'>> {
  const { full, repetitions, budget, processors } = options
  const settings: RunSettings = {
    repetitions,
    budget,
    patience: { prepare: full ? 600 : 150, run: 900 },
    say: (line) => console.log(line),
  }
  const entrants = peers
    .filter((peer) => options.peers.includes(peer.id) && (full || peer.full !== true))
    .map((peer) => entrantOf(peer, { cold: full, processors }))
  const began = performance.now()
  const heading = (title: string): void =>
    console.log(`\n${title} (after ${((performance.now() - began) / 1000).toFixed(0)} s)`)
  const field = new Field()
  try {
    const cases: CaseResult[] = []
    for (const description of allCases(full)) {
      if (!options.groups.includes(description.group)) continue
      heading(description.title)
      const result = await field.run(description, entrants, settings)
      console.log(summary(result))
      cases.push(result)
    }
    let scaling: Awaited<ReturnType<typeof runScaling>> = []
    if (options.groups.includes('scaling')) {
      heading('scaling')
      scaling = await runScaling(field, axes(full), entrants, settings)
    }
    let event: ReturnType<typeof eventDriven> | undefined
    if (options.groups.includes('event')) {
      heading('event-driven against dense layers')
      event = eventDriven(full)
    }
    return { cases, scaling, event, versions: field.versions }
  } finally {
    await field.close()
  }
}

function summary({ rows }: CaseResult): string {
  return rows
    .flatMap(({ title, timing, memory, compileSeconds }) => {
      if (timing === undefined) return []
      const parts = [
        `${shown(1000 * timing.wall).padStart(8)} ms`,
        `${shown(1000 * timing.processor).padStart(8)} ms processor`,
        `${timing.repetitions} repetitions`,
        ...(memory === undefined ? [] : [`${shown(memory / 2 ** 20)} MiB`]),
        ...(compileSeconds === undefined ? [] : [`compiled in ${shown(compileSeconds)} s`]),
      ]
      return [`  ${title.padEnd(34)} ${parts.join('  ')}`]
    })
    .join('\n')
}

/** Event-driven against dense layers (bench/event.ts, a program of its own that prints JSON). */
function eventDriven(full: boolean): unknown {
  const program = join(root, 'bench', 'event.ts')
  if (!existsSync(program)) return { absent: 'there is no bench/event.ts' }
  const args = ['--import', import.meta.resolve('tsx'), program, ...(full ? ['--full'] : [])]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) return { absent: `it ended with ${status}: ${stderr.trim().split('\n').at(-1)}` }
  try {
    return JSON.parse(stdout)
  } catch {
    return { absent: 'it printed something other than JSON' }
  }
}

process.exitCode = (await main().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`)
  return false
}))
  ? 0
  : 1
