/**
 * The folder of a report:
 *
 *     report.html              self-contained; made anew from all sections that lie here
 *     pictures/<name>.svg .png
 *     data/<table>.csv         every number
 *     data/<part>.json         the section as data, with its settings: what the report is made from
 *     work/<part>/             what a long part keeps to go on from; the study alone has such
 */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SpikingRxError } from '../errors.js'
import { replaceFile } from '../io/replace-file.js'
import { type PlotSpec, renderSvg, savePlot } from '../plot/index.js'
import { csvOf } from './csv.js'
import { type DrawnSection, reportHtml } from './html.js'
import type { ReportHead, ReportSection, StoredSection } from './section.js'
import { versions } from './versions.js'

/**
 * Writes a section's pictures, tables and data; the data last, so that a stored section is a whole one.
 *
 * @returns the files written
 * @throws SpikingRxError `ERR_REPORT_WRITE` when the folder can't be written
 */
export async function storeSection(directory: string, stored: StoredSection): Promise<readonly string[]> {
  const { part, tables, pictures } = stored.section
  const files: string[] = []
  return writing(directory, async () => {
    for (const { name, plot } of pictures)
      files.push(...(await savePlot(join(directory, 'pictures', name), plot as PlotSpec, ['svg', 'png'])))
    for (const table of tables) files.push(await write(directory, `data/${table.name}.csv`, csvOf(table)))
    files.push(await write(directory, `data/${part}.json`, `${JSON.stringify(stored)}\n`))
    return files
  })
}

/** The section of a part, when a whole one of this layout lies in the folder. */
export async function storedSection(directory: string, part: string): Promise<StoredSection | undefined> {
  try {
    const stored = JSON.parse(await readFile(join(directory, 'data', `${part}.json`), 'utf8')) as StoredSection
    const { section, settings } = stored
    const whole = section.part === part && [section.tables, section.pictures, section.text].every(Array.isArray)
    return whole && typeof settings.seed === 'number' && typeof settings.versions.spikingrx === 'string'
      ? stored
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Writes `report.html` from these sections.
 *
 * @returns its path
 * @throws SpikingRxError `ERR_REPORT_WRITE`
 */
export async function writeReport(
  directory: string,
  head: ReportHead,
  sections: readonly StoredSection[],
): Promise<string> {
  const drawn: DrawnSection[] = []
  for (const stored of sections) {
    const pictures = new Map<string, string>()
    for (const { name, plot } of stored.section.pictures) pictures.set(name, await renderSvg(plot as PlotSpec))
    drawn.push({ ...stored, drawn: pictures })
  }
  return writing(directory, () => write(directory, 'report.html', reportHtml(head, drawn)))
}

/**
 * A report of one section: stored, and its page written.
 *
 * @throws SpikingRxError `ERR_REPORT_WRITE`
 */
export async function storeReport(
  directory: string,
  head: ReportHead,
  section: ReportSection,
  { seed, seconds }: { readonly seed: number; readonly seconds: number },
): Promise<{ readonly report: string; readonly files: readonly string[] }> {
  const stored = { section, settings: { seed, versions: versions() }, seconds }
  const files = await storeSection(directory, stored)
  return { files, report: await writeReport(directory, head, [stored]) }
}

/** Takes away what a part has kept to go on from. @throws SpikingRxError `ERR_REPORT_WRITE` */
export function clearWork(directory: string, work: string): Promise<void> {
  return writing(directory, () => rm(work, { recursive: true, force: true }))
}

async function write(directory: string, file: string, text: string): Promise<string> {
  const path = join(directory, file)
  await mkdir(join(path, '..'), { recursive: true })
  await replaceFile(path, (handle) => handle.writeFile(text))
  return path
}

async function writing<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SpikingRxError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const message = `the report can't be written to ${directory}: ${reason}`
    throw new SpikingRxError(message, 'ERR_REPORT_WRITE', { directory }, error)
  }
}
