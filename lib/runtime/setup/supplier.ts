/** Where the wheels of a project come from: Python's index over HTTP, a folder that has them, or pip. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { download, fetchText, type RemoteFile } from './download.js'
import type { Report } from './events.js'
import type { Http } from './http.js'
import { shown } from './http.js'
import { pipDownload } from './pip.js'
import { versionFits } from './requirement.js'
import { SetupError } from './setup-error.js'
import { chooseWheel, type IndexFile, readIndex } from './simple-index.js'
import type { WheelName } from './wheel-name.js'

/** What is wanted of a project. */
export interface Wanted {
  readonly project: string
  /** '==13.1.0.3.*' */
  readonly versions: string
  /** The only local versions that will do ('cpu' of 2.13.0+cpu, '' for none); any where it is not given. */
  readonly local?: (tag: string) => boolean
}

/** A wheel or zip on this disk. */
export interface Archive {
  readonly file: string
  /** Where it came from; null for a file of the user's. */
  readonly origin: RemoteFile | null
  /** To be removed when everything is done. */
  readonly temporary: boolean
}

export interface Supplier {
  /** For people: 'the index https://pypi.org/simple'. */
  readonly name: string
  /** What `wheel` would fetch; null where only fetching tells. @throws SetupError */
  find(wanted: Wanted): Promise<IndexFile | null>
  /** METADATA without the wheel; null where that is not to be had. @throws SetupError */
  metadata(file: IndexFile): Promise<string | null>
  /** @throws SetupError */
  wheel(wanted: Wanted): Promise<Archive>
}

export interface SupplierContext {
  readonly http: Http
  readonly architecture: string
  /** Where downloads are kept from run to run. */
  readonly downloads: string
  /** Removed when the run ends. */
  readonly scratch: string
  readonly report: Report
  readonly signal?: AbortSignal | undefined
}

const fits =
  ({ project, versions, local }: Wanted) =>
  (wheel: WheelName): boolean =>
    wheel.project === project &&
    versionFits(wheel.version, versions) &&
    (local === undefined || local(wheel.version.split('+')[1] ?? ''))

function notThere({ project, versions }: Wanted, where: string, architecture: string): SetupError {
  return new SetupError(
    `${where} has no wheel of ${project}${versions} for Linux ${architecture}. Name another source with --mirror or --from`,
    'ERR_SETUP_SOURCE',
    { project, versions, architecture },
  )
}

export function indexSupplier(index: URL, context: SupplierContext): Supplier {
  const { http, architecture, downloads, report } = context
  const name = `the index ${shown(index)}`
  const pages = new Map<string, Promise<IndexFile[]>>()
  const filesOf = (project: string): Promise<IndexFile[]> => {
    const page = pages.get(project) ?? readIndex(http, index, project, report)
    pages.set(project, page)
    return page
  }
  const find = async (wanted: Wanted): Promise<IndexFile> => {
    const file = chooseWheel(await filesOf(wanted.project), architecture, fits(wanted))
    if (file === null) throw notThere(wanted, name, architecture)
    return file
  }
  return {
    name,
    find,
    metadata: async (file) => file.metadata && (await fetchText(http, file.metadata, {}, report)).text,
    wheel: async (wanted) => {
      const origin = await find(wanted)
      return { file: await download(http, origin, downloads, report), origin, temporary: true }
    },
  }
}

/** Wheels side by side, as `pip download` leaves them. */
export function folderSupplier(folder: string, context: SupplierContext): Supplier {
  return {
    name: folder,
    find: async () => null,
    metadata: async () => null,
    wheel: async (wanted) => {
      const files = (await readdir(folder)).map((name) => ({ name }))
      const file = chooseWheel(files, context.architecture, fits(wanted))
      if (file === null) throw notThere(wanted, folder, context.architecture)
      return { file: path.join(folder, file.name), origin: null, temporary: false }
    },
  }
}

/** What lies on this disk, and the rest from elsewhere. */
export function firstOf(local: Supplier, other: Supplier): Supplier {
  const here = (wanted: Wanted): Promise<Archive | null> =>
    local.wheel(wanted).catch((error: unknown) => {
      if (error instanceof SetupError && error.code === 'ERR_SETUP_SOURCE') return null
      throw error
    })
  return {
    name: `${local.name}, then ${other.name}`,
    find: async (wanted) => ((await here(wanted)) === null ? other.find(wanted) : null),
    metadata: (file) => other.metadata(file),
    wheel: async (wanted) => (await here(wanted)) ?? other.wheel(wanted),
  }
}

/** `python3 -m pip download`, with pip's own configuration. */
export function pipSupplier(index: URL | null, extraIndex: URL | null, context: SupplierContext): Supplier {
  return {
    name: index === null ? 'pip' : `pip with the index ${shown(index)}`,
    find: async () => null,
    metadata: async () => null,
    wheel: async (wanted) => {
      const file = await pipDownload(wanted, { index, extraIndex, ...context })
      return { file, origin: null, temporary: true }
    },
  }
}
