import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { SpikingRxError } from '../errors.js'
import type { Native, TensorHandle } from '../native.js'
import { type Runtime, runtime } from './addon.js'
import { cudaFacts, explainCuda } from './cuda.js'
import { type AddonFiles, addonFiles, packageFolder, packageVersion } from './files.js'
import { type Libtorch, locateLibtorch, type Rejection, searchContext } from './locate.js'
import { driverText, nvidiaDriver } from './nvidia.js'
import { libcName, platformProblem } from './platform.js'
import { addonRemedy, libtorchCommand } from './remedy.js'

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
    /** A matrix product gave what it should. */
    readonly computes: boolean
    /** Why libtorch_cuda is not opened; null when it is. */
    readonly cudaFailure: string | null
  } | null
  readonly cuda: {
    /** Version of the NVIDIA driver, and its GPUs, as nvidia-smi tells. */
    readonly driver: string | null
    readonly gpus: readonly string[]
    /** GPUs that this package can compute on. */
    readonly usable: readonly string[]
    /** Why there is none, and what to do; null when there is one. */
    readonly problem: string | null
    readonly fix: string | null
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

interface Findings {
  readonly node: DoctorReport['node']
  readonly addon: DoctorReport['addon']
  readonly addonError: Error | null
  readonly rejected: readonly Rejection[]
  readonly loadError: Error | null
  readonly loaded: DoctorReport['loaded']
  readonly cuda: DoctorReport['cuda']
  readonly libtorch: Libtorch | null
}

function findProblems({ node, addon, addonError, rejected, loadError, loaded, cuda, libtorch }: Findings): Problem[] {
  const problems: Problem[] = []
  const add = (what: string, fix: string) => void problems.push({ what, fix })
  if (!nodeFits(node.version, node.wanted)) add(`Node ${node.version} is too old`, `install Node ${node.wanted}`)
  const platform = attempt(platformProblem).value
  if (platform) add(...split(platform))
  else if (addonError) add('the native addon is not built for this platform', addonRemedy())
  else if (addon && addon.cores.length === 0) add(`no compute core lies beside ${addon.loader}`, addonRemedy())
  const ignored = rejected.find((one) => one.place.startsWith('SPIKINGRX_LIBTORCH='))
  if (ignored) add(`${ignored.place} ${ignored.reason}`, 'correct or unset SPIKINGRX_LIBTORCH')
  if (loadError && !addonError && !platform) add(firstSentence(loadError), commandOf(loadError))
  if (loaded && !loaded.computes) add('libtorch computes wrong values', libtorchCommand(true))
  if (libtorch?.build === 'cuda' && cuda.driver !== null && cuda.problem !== null) add(cuda.problem, cuda.fix ?? '')
  return problems
}

/** 'what: fix' of a platform's problem. */
function split(text: string): [string, string] {
  const at = text.lastIndexOf(': ')
  return [text.slice(0, at), text.slice(at + 2)]
}

/** An error of loading without its list of places, which the report has, and without what to do. */
function firstSentence({ message }: Error): string {
  const line = message.split('\n')[0] ?? ''
  return line.replace(/\. (Looked at:|Run `|Correct or unset|Install spikingrx).*$/, '')
}

/** The one command that an error names. */
function commandOf(error: Error): string {
  const command = error instanceof SpikingRxError ? error.details.command : undefined
  return typeof command === 'string' ? command : addonRemedy()
}

/** The GPUs, and what stands between this package and them. */
function cudaReport(loaded: Runtime | null): DoctorReport['cuda'] {
  const usable = loaded && loaded.cudaProblem === null ? loaded.native.devices().names : []
  if (loaded === null || usable.length > 0) {
    const driver = nvidiaDriver()
    const problem = usable.length > 0 ? null : driver === null ? 'no NVIDIA driver answers' : 'libtorch is not loaded'
    return { driver: driver && driverText(driver), gpus: driver?.gpus ?? [], usable, problem, fix: null }
  }
  const facts = cudaFacts(loaded)
  const { missing, fix } = explainCuda(facts)
  const { driver } = facts
  return { driver: driver && driverText(driver), gpus: driver?.gpus ?? [], usable, problem: missing, fix }
}

/** [1 2] [3 4]^T = 11, by libtorch. */
function computes(native: Native): boolean {
  const [left, right] = [
    [1, 2],
    [3, 4],
  ].map((values) => native.tensorFrom(new Float32Array(values), [2], 'float32'))
  const product = native.callOperator('aten::dot', [{ handle: left! }, { handle: right! }], {}) as { handle: number }
  const [value] = native.tensorData(product.handle as TensorHandle)
  for (const handle of [left!, right!, product.handle as TensorHandle]) native.tensorFree(handle)
  return value === 11
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
    () =>
      loaded.value && {
        ...loaded.value.native.versions(),
        threads: loaded.value.native.threads(),
        computes: computes(loaded.value.native),
        cudaFailure: loaded.value.cudaFailure,
      },
  )
  const cuda = attempt(() => cudaReport(loaded.value)).value ?? {
    driver: null,
    gpus: [],
    usable: [],
    problem: 'could not be asked',
    fix: null,
  }
  const rejected = search?.rejected ?? []
  return {
    package: { version: attempt(packageVersion).value ?? 'unknown', folder: packageFolder },
    node,
    platform: {
      system: `${os.type()} ${os.release()}`,
      architecture: process.arch,
      libc: attempt(libcName).value,
    },
    addon,
    libtorch: search?.found ?? null,
    rejected,
    loaded: answer.value,
    cuda,
    processors: { count: os.availableParallelism(), model: os.cpus()[0]?.model.trim() ?? 'unknown' },
    memory: { total: os.totalmem(), free: os.freemem() },
    problems: findProblems({
      node,
      addon,
      addonError: files.error,
      rejected,
      loadError: loaded.error ?? answer.error,
      loaded: answer.value,
      cuda,
      libtorch: search?.found ?? null,
    }),
  }
}

/** The report for a person: one line a fact, then what to do. */
export function formatDoctor(report: DoctorReport): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  const { libtorch, loaded, cuda, addon, platform } = report
  const found =
    libtorch &&
    `${libtorch.version ?? 'of unknown version'} (${libtorch.build}, from the ${libtorch.source}) in ${libtorch.root}`
  const todo = cuda.driver !== null && cuda.fix !== null ? ` (${cuda.fix})` : ''
  const gpus = cuda.usable.length > 0 ? cuda.usable.join(', ') : `none usable: ${cuda.problem}${todo}`
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
  const problems = report.problems.map(({ what, fix }) => `problem    ${what}\n  to do    ${fix}`)
  return [...facts, '', ...(problems.length > 0 ? problems : ['No problems found.'])].join('\n')
}
