/**
 * Puts a libtorch into the user cache: fetched, checked, unpacked beside its place, loaded once in a child process, renamed.
 *
 *     <cache>/libtorch-2.13.0-cpu/torch/{lib,include,...}        a wheel as pip would unpack it
 *     <cache>/libtorch-2.13.0-cu130/{torch,nvidia}/...           so that the libraries find each other by $ORIGIN
 *     <cache>/downloads/                                         what is on its way, kept when a run breaks off
 *
 * At its place there is all of it or nothing, whenever the process ends.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { cudaOfLibtorch } from '../cuda.js'
import { cacheFolder, examineLibtorch, type Libtorch, minorOf, type SearchContext } from '../locate.js'
import type { NvidiaDriver } from '../nvidia.js'
import { CUDA, chooseBuild, releaseFor } from './choice.js'
import type { RemoteFile } from './download.js'
import type { Report } from './events.js'
import { Http, type HttpLimits, httpLimits } from './http.js'
import { withLock } from './lock.js'
import { planFiles } from './plan.js'
import { diskError, SetupError } from './setup-error.js'
import { type Build, indexOf, officialZip, parseFrom, type Source, sourceText, versionNamed } from './source.js'
import { buildInside, fillStage } from './stage.js'
import type { Archive } from './supplier.js'
import type { Verified } from './verify.js'

export interface SetupRequest {
  /** Null: by the driver, or as the source is. */
  readonly build: Build | null
  readonly from?: string | undefined
  readonly pip: boolean
  readonly mirror?: URL | undefined
  readonly dryRun: boolean
}

/** What a setup depends on. */
export interface SetupContext {
  readonly search: SearchContext
  readonly driver: () => NvidiaDriver | null
  /** Loads a libtorch elsewhere. @throws SetupError `ERR_SETUP_VERIFY` */
  readonly verify: (root: string, signal: AbortSignal | undefined) => Promise<Verified>
  readonly limits?: HttpLimits
}

export interface SetupResult {
  readonly status: 'ready' | 'present' | 'planned'
  readonly build: Build
  readonly version: string
  /** `<cache>/libtorch-<version>-<cpu|cuNNN>`; libtorch is torch/ in it. */
  readonly folder: string
  readonly source: string
  /** What was or would be fetched. */
  readonly files: readonly {
    readonly name: string
    readonly url: string
    readonly size: number | null
    readonly sha256: string | null
  }[]
  /** What can only be told once the first file is there. */
  readonly unknown: readonly string[]
  readonly verified: Verified | null
}

/** What is to be done, before the network is asked. */
export interface Plan {
  readonly build: Build
  /** Whether no other build will do. */
  readonly strict: boolean
  readonly version: string
  readonly source: Source
  readonly index: URL
  /** Of NVIDIA's wheels. */
  readonly nvidiaIndex: URL
  readonly cache: string
}

/**
 * @throws SetupError `ERR_SETUP_SOURCE`, `ERR_SETUP_NETWORK`, `ERR_SETUP_CHECKSUM`, `ERR_SETUP_ARCHIVE`, `ERR_SETUP_DISK`,
 * `ERR_SETUP_DRIVER`, `ERR_SETUP_VERIFY`; AbortedError. After each of them the cache is as it was, but for downloads.
 */
export async function setup(
  request: SetupRequest,
  context: SetupContext,
  report: Report,
  signal?: AbortSignal,
): Promise<SetupResult> {
  const { search } = context
  if (search.platform !== 'linux' || !['x64', 'arm64'].includes(search.architecture))
    throw new SetupError(
      `libtorch is set up on Linux x64 and arm64 only, this is ${search.platform} ${search.architecture}: set SPIKINGRX_LIBTORCH to the folder of one`,
      'ERR_SETUP_SOURCE',
    )
  const note = (text: string) => report({ type: 'note', text })
  const plan = await makePlan(request, context, note)
  const before = await present(plan, context, note, signal)
  if (before !== null) return before
  await using http = new Http(signal, context.limits ?? httpLimits)
  const tools = {
    http,
    report,
    signal,
    architecture: search.architecture,
    downloads: path.join(plan.cache, 'downloads'),
  }
  if (request.dryRun) {
    const { files, unknown } = await planFiles(plan, { ...tools, scratch: '' })
    return { ...outline(plan, files), status: 'planned', unknown, verified: null }
  }
  return await withLock(
    `${placeOf(plan)}.lock`,
    async (waited) => {
      // Whoever held the lock may have done it.
      const meanwhile = waited ? await present(plan, context, note, signal) : null
      if (meanwhile !== null) return meanwhile
      await removeRemains(plan)
      const stage = await makeStage(plan)
      try {
        const { files, archives } = await fillStage(plan, stage, { ...tools, scratch: scratchOf(stage) })
        const result = await finish(plan, stage, files, context, note, signal)
        await removeDownloads(archives, tools.downloads)
        return result
      } finally {
        for (const folder of [stage, scratchOf(stage)]) await rm(folder, { recursive: true, force: true })
      }
    },
    { note, signal },
  )
}

async function makePlan(request: SetupRequest, context: SetupContext, note: (text: string) => void): Promise<Plan> {
  const { build: wish, from, pip } = request
  const mirror = request.mirror ?? null
  const release = releaseFor(context.search.supported)
  const explicit = from !== undefined && from !== 'wheel' && from !== 'zip'
  const sourceFor = (build: Build): Source => {
    if (pip) return { kind: 'pip' }
    return from === undefined ? { kind: 'index' } : parseFrom(from, () => officialZip(release, build, CUDA.tag, mirror))
  }
  const holds = explicit ? await buildInside(sourceFor('cpu')) : null
  const { build, notes } = chooseBuild(wish, { explicit, holds }, context.driver)
  for (const text of notes) note(text)
  const source = sourceFor(build)
  const named = explicit ? versionNamed(source) : null
  const { supported } = context.search
  if (named !== null && supported.length > 0 && !supported.includes(minorOf(named)))
    throw new SetupError(
      `--from ${from} is libtorch ${named}, this package has a core for ${supported.join(', ')}`,
      'ERR_SETUP_SOURCE',
      { version: named, supported },
    )
  return {
    build,
    strict: wish !== null || !explicit,
    version: named ?? release,
    source,
    index: indexOf(build, mirror),
    nvidiaIndex: indexOf('cuda', mirror),
    cache: cacheFolder(context.search),
  }
}

/** Guessed until what was unpacked tells its version; `.lock` and `.part-` are of this name, as scripts/libtorch.mjs has it. */
const placeOf = ({ cache, version, build }: Plan): string =>
  path.join(cache, `libtorch-${version}-${build === 'cpu' ? 'cpu' : CUDA.tag}`)

function outline(plan: Plan, files: readonly RemoteFile[]): Omit<SetupResult, 'status' | 'unknown' | 'verified'> {
  const { build, version, source, index } = plan
  return {
    build,
    version,
    folder: placeOf(plan),
    source: sourceText(source, index),
    files: files.map(({ name, url, size, sha256 }) => ({ name, url: `${url.origin}${url.pathname}`, size, sha256 })),
  }
}

/** The cached libtorch of this build and version, loaded once; null where there is none or it is damaged. */
async function present(
  plan: Plan,
  { search, verify }: SetupContext,
  note: (text: string) => void,
  signal?: AbortSignal,
): Promise<SetupResult | null> {
  const folder = placeOf(plan)
  if (!existsSync(folder)) return null
  const verdict = examineLibtorch(folder, search)
  if ('reason' in verdict) {
    note(`${folder} ${verdict.reason}: setting it up again`)
    return null
  }
  if (verdict.libtorch.build !== plan.build) return null
  try {
    const verified = await verify(verdict.libtorch.root, signal)
    const version = verdict.libtorch.version ?? plan.version
    return { ...outline(plan, []), status: 'present', version, unknown: [], verified }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    note(`${error.message}; setting it up again`)
    return null
  }
}

/** What an earlier run that was killed has left; nobody else is at work here while the lock is held. */
async function removeRemains(plan: Plan): Promise<void> {
  const prefix = `${path.basename(placeOf(plan))}.part-`
  for (const name of await readdir(plan.cache))
    if (name.startsWith(prefix)) await rm(path.join(plan.cache, name), { recursive: true, force: true })
}

async function makeStage(plan: Plan): Promise<string> {
  try {
    await mkdir(plan.cache, { recursive: true })
    return await mkdtemp(`${placeOf(plan)}.part-`)
  } catch (error) {
    throw diskError(error, plan.cache)
  }
}

/** Looks at what was unpacked, loads it, and gives it its name. */
async function finish(
  plan: Plan,
  stage: string,
  files: readonly RemoteFile[],
  { search, verify }: SetupContext,
  note: (text: string) => void,
  signal?: AbortSignal,
): Promise<SetupResult> {
  const verdict = examineLibtorch(stage, search)
  if ('reason' in verdict)
    throw new SetupError(`${sourceText(plan.source, plan.index)} is of no use: ${verdict.reason}`, 'ERR_SETUP_SOURCE')
  const { libtorch } = verdict
  note('loading it in a process of its own')
  const verified = await verify(libtorch.root, signal)
  const version = libtorch.version ?? verified.libtorch ?? plan.version
  const folder = path.join(plan.cache, folderName(libtorch, version))
  try {
    // A damaged one is moved away first: a folder can't be renamed over another.
    const old = `${folder}.part-old-${process.pid}`
    if (existsSync(folder)) await rename(folder, old)
    await rename(stage, folder)
    await rm(old, { recursive: true, force: true })
  } catch (error) {
    throw diskError(error, folder)
  }
  return { ...outline(plan, files), status: 'ready', build: libtorch.build, version, folder, unknown: [], verified }
}

function folderName({ root, build }: Libtorch, version: string): string {
  const cuda = cudaOfLibtorch(root, version)
  const tag = build === 'cpu' ? 'cpu' : cuda === null ? CUDA.tag : `cu${cuda.replace('.', '')}`
  return `libtorch-${version.split('+')[0]}-${tag}`
}

/** For what is worth nothing once this run has ended; removed like a stage. */
const scratchOf = (stage: string): string => `${stage}-scratch`

/** Each lies in a folder of its own. */
async function removeDownloads(archives: readonly Archive[], downloads: string): Promise<void> {
  for (const { file, temporary } of archives)
    if (temporary) await rm(path.dirname(file), { recursive: true, force: true })
  await rmdir(downloads).catch(() => undefined)
}
