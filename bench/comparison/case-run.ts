/** One case with all its peers: prepared one after the other, compared, then timed in turns. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Agreement, agreement, type Outputs } from './agreement.js'
import type { Case } from './cases.js'
import { writeInputs } from './inputs.js'
import { mnistInputs, predictInputs } from './networks.js'
import { type Answer, type PeerCommand, PeerFailure, PeerProcess } from './peer-process.js'
import { commandOf, type Peer, type StartOptions } from './peers.js'
import type { CaseResult, Row } from './results.js'
import { type Effort, interleaved, type Timing } from './timing.js'

/** A peer as the run needs it: what it is called, whose values it must give, and how it is started. */
export interface Entrant {
  readonly id: string
  readonly title: string
  readonly reference?: string
  /** @throws Error with one sentence when what it needs is not there */
  readonly command: (threads: number) => PeerCommand
  /** The process serves one case and ends; else it stays for the next. */
  readonly oneCase: boolean
}

export function entrantOf(peer: Peer, start: StartOptions): Entrant {
  const { id, title, reference, program } = peer
  return {
    id,
    title,
    ...(reference !== undefined && { reference }),
    command: (threads) => commandOf(peer, threads, start),
    oneCase: program[0].endsWith('.mjs'),
  }
}

export interface RunSettings extends Effort {
  /** Seconds that preparing may take (it compiles), and one request to run. */
  readonly patience: { readonly prepare: number; readonly run: number }
  readonly say: (line: string) => void
}

type Versions = Record<string, Readonly<Record<string, string>>>

/** Peers with their processes, which live from case to case. */
export class Field {
  readonly #processes = new Map<string, PeerProcess>()
  /** Why a peer takes no part any more. */
  readonly #absent = new Map<string, string>()
  readonly versions: Versions = {}

  /** Runs one case with those of `entrants` that it names. */
  async run(description: Case, entrants: readonly Entrant[], settings: RunSettings): Promise<CaseResult> {
    const folder = mkdtempSync(join(tmpdir(), 'spikingrx-bench-'))
    try {
      const { inputs, ...told } = await inputsOf(folder, description)
      const elements = Object.values(inputs)[0]!.shape.reduce((product, size) => product * size, 1)
      const taking = entrants.filter(({ id }) => description.peers.includes(id))
      const rows = await this.#rows(description, taking, settings, folder, { inputs, ...told })
      const { id, group, title, threads } = description
      return { id, group, title, threads, elements, rows }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.close()))
    this.#processes.clear()
  }

  async #rows(
    description: Case,
    entrants: readonly Entrant[],
    { patience, say, ...effort }: RunSettings,
    folder: string,
    told: Readonly<Record<string, unknown>>,
  ): Promise<Row[]> {
    const absent = new Map<string, string>()
    const drop = (id: string, reason: string): void => {
      absent.set(id, reason)
      say(`  ${id}: absent: ${reason}`)
    }
    const prepared = new Map<string, { readonly process: PeerProcess; readonly answer: Answer }>()
    try {
      for (const entrant of entrants) {
        let process: PeerProcess | undefined
        try {
          process = await this.#process(entrant, description.threads)
          const out = join(folder, entrant.id)
          mkdirSync(out)
          const { kind, steps, batch, options } = description
          const request = { kind, steps, batch, ...options, ...told, folder: out }
          const answer = await process.ask({ do: 'prepare', case: request }, patience.prepare)
          prepared.set(entrant.id, { process, answer })
        } catch (error) {
          drop(entrant.id, sentenceOf(error))
          if (!(error instanceof PeerFailure && error.kind === 'unsupported')) process?.kill()
        }
      }
      const agreements = compared(description, entrants, prepared, drop)
      const timings = await interleaved(
        [...prepared]
          .filter(([id]) => !absent.has(id))
          .map(([id, { process }]) => ({
            id,
            run: async (times) => {
              const { wall, processor } = await process.ask({ do: 'run', times }, patience.run)
              if (wall === undefined || processor === undefined) throw new Error('it told no times')
              return { wall, processor }
            },
            failed: (error) => {
              drop(id, sentenceOf(error))
              process.kill() // who knows what it would answer next
            },
          })),
        effort,
      )
      const figures = await this.#figures(description, prepared, timings, patience.run)
      return entrants.map(({ id, title }) => {
        const answer = prepared.get(id)?.answer
        return {
          peer: id,
          title,
          ...optional('absent', absent.get(id)),
          ...optional('timing', absent.has(id) ? undefined : timings.get(id)),
          ...optional('agreement', agreements.get(id)?.sentence),
          ...optional('memory', answer?.memory ?? undefined),
          ...optional('compileSeconds', answer?.compileSeconds ?? undefined),
          ...optional('figures', figures.get(id)),
        }
      })
    } finally {
      await this.#release(prepared, entrants)
    }
  }

  /** Loss and accuracy of what the last runs trained. */
  async #figures(
    { kind }: Case,
    prepared: ReadonlyMap<string, { readonly process: PeerProcess }>,
    timings: ReadonlyMap<string, Timing>,
    patience: number,
  ): Promise<Map<string, Readonly<Record<string, number>>>> {
    const figures = new Map<string, Readonly<Record<string, number>>>()
    if (kind !== 'mnist') return figures
    for (const id of timings.keys()) {
      const answer = await prepared.get(id)?.process.ask({ do: 'evaluate' }, patience)
      if (answer?.figures) figures.set(id, answer.figures)
    }
    return figures
  }

  async #process(entrant: Entrant, threads: number): Promise<PeerProcess> {
    const key = `${entrant.id} ${threads}`
    const known = this.#absent.get(key)
    if (known !== undefined) throw new Error(known)
    const running = this.#processes.get(key)
    if (running?.alive) return running
    try {
      const process = new PeerProcess(entrant.command(threads))
      this.#processes.set(key, process)
      const { versions } = await process.hello(120)
      if (versions) this.versions[entrant.id] = versions
      return process
    } catch (error) {
      this.#processes.get(key)?.kill()
      this.#processes.delete(key)
      this.#absent.set(key, sentenceOf(error))
      throw error
    }
  }

  async #release(
    prepared: ReadonlyMap<string, { readonly process: PeerProcess }>,
    entrants: readonly Entrant[],
  ): Promise<void> {
    for (const { id, oneCase } of entrants) {
      for (const [key, process] of this.#processes) {
        if (key.split(' ')[0] !== id) continue
        if (oneCase || !process.alive) {
          await process.close()
          this.#processes.delete(key)
        }
      }
      const process = prepared.get(id)?.process
      if (!oneCase && process?.alive) await process.ask({ do: 'release' }, 60).catch(() => process.kill())
    }
  }
}

/** A field of a result that is left out where there is no value. */
function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]: V })
}

/** Peers with other values than their reference are not timed. */
function compared(
  { kind }: Case,
  entrants: readonly Entrant[],
  prepared: ReadonlyMap<string, { readonly answer: Answer }>,
  drop: (id: string, reason: string) => void,
): Map<string, Agreement> {
  const found = new Map<string, Agreement>()
  const outputs = (id: string): Outputs | undefined => prepared.get(id)?.answer.outputs
  for (const { id, reference } of entrants) {
    const [own, wanted] = [outputs(id), reference === undefined ? undefined : outputs(reference)]
    if (own === undefined || wanted === undefined || reference === undefined) continue
    try {
      const result = agreement(kind, wanted, own)
      found.set(id, result)
      if (!result.equal) drop(id, `it computes something else than ${reference}: ${result.sentence}`)
    } catch (error) {
      drop(id, sentenceOf(error))
    }
  }
  return found
}

async function inputsOf(folder: string, description: Case) {
  if (description.kind === 'mnist') return { inputs: await mnistInputs(folder, description) }
  if (description.kind === 'predict') return predictInputs(folder, description)
  return { inputs: writeInputs(folder, description) }
}

function sentenceOf(error: unknown): string {
  if (error instanceof PeerFailure) return error.message
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
}
