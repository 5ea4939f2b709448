import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { libtorchRemedy, type Runtime, runtime } from './addon.js'
import { type AddonFiles, addonFiles, packageFolder, packageVersion } from './files.js'
import { type Libtorch, locateLibtorch, type Rejection, searchContext } from './locate.js'

/** Something that does not work, and what to do. */
export interface Problem {
  readonly what: string
  readonly fix: string
}

/** What this package finds on this machine. */
export interface DoctorReport {
  readonly package: { readonly version: string; readonly folder: string }
  readonly node: { readonly version: string; readonly wanted: string }
  readonly platform: { readonly system: string; readonly architecture: string; readonly libc: string | null }
  /** Native files; null when nothing is built or shipped for this platform. */
  readonly addon: { readonly loader: string; readonly cores: readonly string[]; readonly plugin: string | null } | null
  readonly libtorch: Libtorch | null
  /** Places that were passed over on the way to `libtorch`. */
  readonly rejected: readonly Rejection[]
  /** What answered once everything was loaded; null when it could not be. */
  readonly loaded: {
    readonly libtorch: string
    readonly core: string
    readonly parallel: string
    readonly threads: number
  } | null
  readonly cuda: {
    /** Version of the NVIDIA driver, and its GPUs, as nvidia-smi tells. */
    readonly driver: string | null
    readonly gpus: readonly string[]
    /** GPUs that this package can compute on. */
    readonly usable: readonly string[]
    /** Why there is none; null when there is one. */
    readonly problem: string | null
  }
  readonly processors: { readonly count: number; readonly model: string }
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number }
  readonly problems: readonly Problem[]
}

/** The value, or the error instead of throwing it. */
function attempt<Value>(
  work: () => Value,
): { readonly value: Value; readonly error: null } | { readonly value: null; readonly error: Error } {
  try {
    return { value: work(), error: null }
  } catch (error) {
    return { value: null, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function libcVersion(): string | null {
  if (process.platform !== 'linux') return null
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'not glibc (musl?)'
}

function nvidia(): { driver: string | null; gpus: string[] } {
  const query = ['--query-gpu=driver_version,name', '--format=csv,noheader']
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 })
  if (status !== 0) return { driver: null, gpus: [] }
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(', '))
  return { driver: rows[0]?.[0] ?? null, gpus: rows.map(([, name]) => name ?? 'GPU') }
}

function wantedNode(): string {
  const { engines } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as {
    engines?: { node?: string }
  }
  return engines?.node ?? 'any'
}

/** '20.20.2' fits '>=20.19' */
function nodeFits(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [needMajor = 0, needMinor = 0] = (/\d+(\.\d+)?/.exec(wanted)?.[0] ?? '0').split('.').map(Number)
  return major > needMajor || (major === needMajor && minor >= needMinor)
}

function addonReport(files: AddonFiles | null): DoctorReport['addon'] {
  return files && { loader: files.loader, cores: [...files.cores.keys()], plugin: files.plugin }
}

function findProblems(
  node: DoctorReport['node'],
  addonError: Error | null,
  addon: DoctorReport['addon'],
  rejected: readonly Rejection[],
  loadError: Error | null,
): Problem[] {
  const problems: Problem[] = []
  if (!nodeFits(node.version, node.wanted))
    problems.push({ what: `Node ${node.version} is too old`, fix: `install Node ${node.wanted}` })
  if (addonError) problems.push({ what: 'the native addon is not built for this platform', fix: 'npm run build' })
  else if (addon && addon.cores.length === 0)
    problems.push({ what: `no compute core lies beside ${addon.loader}`, fix: 'npm run build:native' })
  const ignored = rejected.find((one) => one.place.startsWith('SPIKINGRX_LIBTORCH='))
  if (ignored) problems.push({ what: `${ignored.place} ${ignored.reason}`, fix: 'correct or unset SPIKINGRX_LIBTORCH' })
  if (loadError && !addonError) problems.push({ what: loadError.message.split('\n')[0] ?? '', fix: libtorchRemedy })
  return problems
}

/** The GPUs, and what stands between this package and them. */
function cudaReport(loaded: Runtime | null): DoctorReport['cuda'] {
  const { driver, gpus } = nvidia()
  const usable = loaded && loaded.cudaProblem === null ? loaded.native.devices().names : []
  const absent = driver === null ? 'no NVIDIA driver answers (nvidia-smi)' : 'libtorch sees no GPU'
  const problem = usable.length > 0 ? null : (loaded?.cudaProblem ?? absent)
  return { driver, gpus, usable, problem }
}

/**
 * Looks at everything a run depends on, loads libtorch and the addon if it can, and says what to do about what it can't.
 * Never throws.
 */
export function doctor(): DoctorReport {
  const node = { version: process.versions.node, wanted: attempt(wantedNode).value ?? 'any' }
  const files = attempt(addonFiles)
  const addon = addonReport(files.value)
  const search = attempt(() => locateLibtorch(searchContext(addon?.cores ?? []))).value
  const loaded = attempt(runtime)
  const answer = attempt(
    () => loaded.value && { ...loaded.value.native.versions(), threads: loaded.value.native.threads() },
  )
  return {
    package: { version: attempt(packageVersion).value ?? 'unknown', folder: packageFolder },
    node,
    platform: {
      system: `${os.type()} ${os.release()}`,
      architecture: process.arch,
      libc: attempt(libcVersion).value,
    },
    addon,
    libtorch: search?.found ?? null,
    rejected: search?.rejected ?? [],
    loaded: answer.value,
    cuda: attempt(() => cudaReport(loaded.value)).value ?? {
      driver: null,
      gpus: [],
      usable: [],
      problem: 'could not be asked',
    },
    processors: { count: os.availableParallelism(), model: os.cpus()[0]?.model.trim() ?? 'unknown' },
    memory: { total: os.totalmem(), free: os.freemem() },
    problems: findProblems(node, files.error, addon, search?.rejected ?? [], loaded.error ?? answer.error),
  }
}

/** The report for a person: one line a fact, then what to do. */
export function formatDoctor(report: DoctorReport): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  const { libtorch, loaded, cuda, addon, platform } = report
  const found =
    libtorch &&
    `${libtorch.version ?? 'of unknown version'} (${libtorch.build}, from the ${libtorch.source}) in ${libtorch.root}`
  const gpus = cuda.usable.length > 0 ? cuda.usable.join(', ') : `none usable: ${cuda.problem}`
  const driver = cuda.driver === null ? '' : `; driver ${cuda.driver} with ${cuda.gpus.join(', ')}`
  const rows: [string, string][] = [
    ['spikingrx', `${report.package.version} in ${report.package.folder}`],
    ['Node', `${report.node.version} (wanted ${report.node.wanted})`],
    ['platform', `${platform.system} ${platform.architecture}${platform.libc ? `, ${platform.libc}` : ''}`],
    ['addon', addon ? `${addon.loader}, cores for libtorch ${addon.cores.join(', ') || '(none)'}` : 'not built'],
    ['libtorch', found ?? 'not found'],
    ...report.rejected.map(({ place, reason }): [string, string] => ['', `passed over: ${place} ${reason}`]),
    ['loaded', loaded ? `libtorch ${loaded.libtorch}, core ${loaded.core}` : 'no'],
    ['CUDA', gpus + driver],
    ['threads', `${loaded?.threads ?? '?'} of ${report.processors.count} processors (${report.processors.model})`],
    ['memory', `${gib(report.memory.free)} free of ${gib(report.memory.total)}`],
  ]
  const facts = rows.map(([name, value]) => `${name.padEnd(10)} ${value}`)
  const todo = report.problems.map(({ what, fix }) => `problem    ${what}\n  to do    ${fix}`)
  return [...facts, '', ...(todo.length > 0 ? todo : ['No problems found.'])].join('\n')
}
