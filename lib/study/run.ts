/** The study as a whole: runs parts, stores what they found, writes the report. */
import { join } from 'node:path'
import { AbortedError, ArgumentError } from '../errors.js'
import { clearWork, storedSection, storeSection, writeReport } from '../report/folder.js'
import type { ReportHead, ReportSettings, StoredSection } from '../report/section.js'
import { versions } from '../report/versions.js'
import type { StudyPart } from './parts/part.js'
import { studyParts } from './parts/registry.js'
import { wholeNumber } from './quantity.js'

export interface RunStudyOptions {
  /** Where everything goes; made when missing. What lies there from other parts stays in the report. */
  readonly directory: string
  /** Names of parts, in any order. Default: all. */
  readonly parts?: readonly string[]
  /** Same seed, same figures. Default 0. */
  readonly seed?: number
  /** Shorter runs and fewer repetitions. Default false. */
  readonly quick?: boolean
  /** Computes anew what long parts have kept in the folder. Default false. */
  readonly fresh?: boolean
  readonly signal?: AbortSignal
  /** Told as the work goes on; `done` is 0 to 1 within the part. */
  readonly progress?: (part: string, done: number, what: string) => void
}

export interface StudyResult {
  /** Path of the report. */
  readonly report: string
  /** Sections of the parts asked for, in the order of the report. */
  readonly sections: readonly StoredSection[]
  /** Pictures and data written, without the report. */
  readonly files: readonly string[]
}

/**
 * Runs parts of the study and writes pictures, tables and the report into a folder.
 *
 * @throws ArgumentError `ERR_RANGE` for a part that does not exist or a seed that is not a whole number from 0 on
 * @throws AbortedError `ERR_ABORTED` when the signal stopped it; parts that were finished are stored
 * @throws SpikingRxError `ERR_REPORT_WRITE` when the folder can't be written
 */
export function runStudy(options: RunStudyOptions): Promise<StudyResult> {
  return runParts(studyParts, options)
}

const head: ReportHead = {
  title: 'From the LIF neuron to activations and networks',
  intro: [
    'Made by `spikingrx study`. Every number of this page lies beside it in `data/`, every picture in `pictures/`.',
  ],
}

/** {@link runStudy} with `known` as all the parts there are. */
export async function runParts(known: readonly StudyPart[], options: RunStudyOptions): Promise<StudyResult> {
  const { directory, quick = false, seed = 0, fresh = false, signal = new AbortController().signal } = options
  wholeNumber('runStudy', 'seed', seed, { min: 0 })
  const wanted = partsOf(known, options.parts)
  const settings: ReportSettings = { seed, quick, versions: versions() }
  const sections: StoredSection[] = []
  const files: string[] = []
  for (const part of wanted) {
    if (signal.aborted) throw new AbortedError(`the study was stopped before ${part.name}`, { part: part.name })
    const before = part.kept && !fresh ? await storedSection(directory, part.name) : undefined
    if (before !== undefined && sameSettings(before.settings, settings)) {
      options.progress?.(part.name, 1, 'taken from the folder')
      sections.push(before)
      continue
    }
    const began = performance.now()
    const work = join(directory, 'work', part.name)
    if (fresh) await clearWork(directory, work)
    const section = await part.run({
      seed,
      quick,
      signal,
      work,
      progress: (done, what) => options.progress?.(part.name, done, what),
    })
    const stored = { section, settings, seconds: (performance.now() - began) / 1000 }
    options.progress?.(part.name, 1, 'drawing')
    files.push(...(await storeSection(directory, stored)))
    sections.push(stored)
  }
  return { report: await writeReport(directory, head, await allSections(known, directory, sections)), sections, files }
}

function partsOf(known: readonly StudyPart[], names: readonly string[] | undefined): readonly StudyPart[] {
  for (const name of names ?? []) {
    if (!known.some((part) => part.name === name)) {
      const wanted = known.map((part) => part.name).join(', ')
      throw new ArgumentError(`runStudy: parts must be among ${wanted}, got ${JSON.stringify(name)}`, 'ERR_RANGE', {
        name,
      })
    }
  }
  return known.filter(({ name }) => names === undefined || names.includes(name))
}

/** These sections, and those that lie in the folder from before, in the order of the report. */
async function allSections(
  known: readonly StudyPart[],
  directory: string,
  sections: readonly StoredSection[],
): Promise<readonly StoredSection[]> {
  const all: StoredSection[] = []
  for (const { name } of known) {
    const one = sections.find(({ section }) => section.part === name) ?? (await storedSection(directory, name))
    if (one !== undefined) all.push(one)
  }
  return all
}

function sameSettings(a: ReportSettings, b: ReportSettings): boolean {
  return a.seed === b.seed && a.quick === b.quick && a.versions.spikingrx === b.versions.spikingrx
}
