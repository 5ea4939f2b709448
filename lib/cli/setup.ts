import { SpikingRxError } from '../errors.js'
import { addonFiles } from '../runtime/files.js'
import { type SearchContext, searchContext } from '../runtime/locate.js'
import { nvidiaDriver } from '../runtime/nvidia.js'
import { platformProblem } from '../runtime/platform.js'
import type { SetupResult } from '../runtime/setup/setup.js'
import { defineCommand, print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { UsageError } from './failure.js'
import { interruptible } from './interrupt.js'
import type * as options from './options.js'
import { programName } from './program-name.js'
import { chooseSetupProgress, type SetupProgress } from './setup-progress.js'
import { bytes, duration } from './wording.js'

const definitions = {
  cpu: { kind: 'flag', help: 'the build for the CPU (default where no NVIDIA driver answers)' },
  cuda: {
    kind: 'flag',
    help: 'the build for NVIDIA GPUs, with the NVIDIA libraries it needs (default where a driver answers)',
  },
  from: {
    kind: 'text',
    value: 'SOURCE',
    help: 'wheel (the official one, default), zip (the official one), or a path of a wheel, a zip, a libtorch folder or a folder of wheels, or an address (#sha256=... is checked)',
  },
  pip: { kind: 'flag', help: "let python3's pip fetch the wheels, with its own configuration" },
  mirror: {
    kind: 'text',
    value: 'URL',
    help: 'another Python package index (PEP 503), or with --from zip another host',
  },
  'dry-run': { kind: 'flag', help: 'say what would be fetched, and fetch nothing' },
  json: { kind: 'flag', help: 'print one JSON object instead of text; progress goes to standard error' },
} as const satisfies options.Options

export const command = defineCommand({
  name: 'setup',
  about:
    'Fetches libtorch into the user cache ($XDG_CACHE_HOME/spikingrx, by default ~/.cache/spikingrx), checks it, and loads it once. ' +
    'Does nothing when it is there already.',
  positionals: [],
  options: definitions,
  notes: [
    'A download that broke off is gone on with by the same command. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are respected. Ctrl-C stops and keeps what was downloaded.',
    'More, such as machines without a network: docs/install.md.',
  ],
  examples: [
    'spikingrx setup',
    'spikingrx setup --cuda --dry-run',
    'spikingrx setup --from torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl',
    'spikingrx setup --cpu --mirror https://mirror.example.org/pytorch/whl/cpu',
  ],
  run: ({ values }) => runSetup(values),
})

async function runSetup(values: options.Values<typeof definitions>): Promise<ExitCode> {
  if (values.cpu && values.cuda) throw new UsageError('--cpu and --cuda exclude each other')
  if (values.pip && values.from !== undefined && values.from !== 'wheel')
    throw new UsageError('--pip and --from exclude each other')
  const mirror = mirrorOf(values)
  // Before a byte is fetched that could never be loaded here.
  const problem = platformProblem()
  if (problem !== null) throw new SpikingRxError(`libtorch can't run here: ${problem}`, 'ERR_PLATFORM')
  const began = performance.now()
  using progress = await chooseSetupProgress(values.json)
  using interrupt = interruptible(
    () => progress.note('stopping; what was downloaded is kept'),
    () => undefined,
  )
  const { setup } = await import('../runtime/setup/setup.js')
  const { verifyLibtorch } = await import('../runtime/setup/verify.js')
  const search = searchContext(supportedMinors())
  const program = [process.execPath, ...process.execArgv, process.argv[1] ?? '']
  const request = {
    build: values.cpu ? ('cpu' as const) : values.cuda ? ('cuda' as const) : null,
    from: values.from,
    pip: values.pip,
    mirror,
    dryRun: values['dry-run'],
  }
  const context = {
    search,
    driver: nvidiaDriver,
    verify: (root: string, signal?: AbortSignal) => verifyLibtorch(program, root, signal),
  }
  let result: SetupResult
  try {
    result = await setup(request, context, progress.report, interrupt.signal)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    progress.note(`Stopped. To go on, run the same command again: ${programName()} setup`)
    return EXIT.interrupted
  }
  const seconds = (performance.now() - began) / 1000
  if (values.json) print(JSON.stringify({ ...result, seconds }, null, 2))
  else tell(result, seconds, progress, hiding(result, search))
  return EXIT.ok
}

function mirrorOf({ mirror }: { readonly mirror: string | undefined }): URL | undefined {
  if (mirror === undefined) return undefined
  if (!URL.canParse(mirror) || !/^https?:$/.test(new URL(mirror).protocol))
    throw new UsageError(`--mirror must be an address with http:// or https://, got ${JSON.stringify(mirror)}`)
  return new URL(mirror)
}

/** Without native files any version will do: there is nothing yet that it must fit. */
function supportedMinors(): string[] {
  try {
    return [...addonFiles().cores.keys()]
  } catch {
    return []
  }
}

/** A place that is looked at before what was set up. */
function hiding({ build }: SetupResult, { environment }: SearchContext): string[] {
  const chosen = environment.SPIKINGRX_LIBTORCH
  if (chosen) return [`SPIKINGRX_LIBTORCH=${chosen} is set and is looked at first: unset it to use this one.`]
  return build === 'cpu' ? [] : ["Use it with device: 'auto' or 'cuda'."]
}

function tell(result: SetupResult, seconds: number, progress: SetupProgress, notes: readonly string[]): void {
  const { status, version, build, folder, verified, files, unknown, source } = result
  const what = `libtorch ${version} (${build === 'cuda' ? 'CUDA' : 'CPU'} build)`
  if (status === 'planned') {
    const sizes = files.map(({ size }) => size ?? 0)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const rows = files.map(
      ({ name, url, size, sha256 }) =>
        `  ${name}${size === null ? '' : `, ${bytes(size)}`}\n    ${url}\n    ${sha256 === null ? 'without a hash' : `sha256 ${sha256}`}`,
    )
    progress.note(
      [
        `Would set up ${what} in ${folder}`,
        `from ${source}${total > 0 ? `: ${bytes(total)} in ${files.length === 1 ? '1 file' : `${files.length} files`}` : ''}`,
        ...rows,
        ...unknown.map((text) => `  and ${text}`),
      ].join('\n'),
    )
    return
  }
  const loaded = verified?.libtorch
    ? '; loaded and computed with'
    : '; not loaded, because the native addon is not built'
  const done = status === 'present' ? 'is set up already' : `is ready after ${duration(seconds)}`
  for (const line of [`${what} ${done} in ${folder}${loaded}.`, ...notes]) progress.note(line)
}
