import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir } from 'node:fs/promises'
import path from 'node:path'
import { AbortedError } from '../../errors.js'
import type { Report } from './events.js'
import { SetupError } from './setup-error.js'

export interface PipOptions {
  readonly index: URL | null
  /** Tried where pip's own places have nothing. */
  readonly extraIndex: URL | null
  readonly architecture: string
  readonly scratch: string
  readonly report: Report
  readonly signal?: AbortSignal | undefined
}

interface PipWanted {
  readonly project: string
  readonly versions: string
  readonly local?: (tag: string) => boolean
}

/** '==2.13.0' asked for with a local version: 'torch==2.13.0+cpu'; without one '===' leaves 2.13.0+cpu out. */
export function pipRequirement({ project, versions, local }: PipWanted): string {
  if (local?.('cpu')) return `${project}${versions}+cpu`
  return `${project}${local && /^==[^*]+$/.test(versions) ? `=${versions}` : versions}`
}

/** The wheel that fits this Python, else one for another: only its libraries are wanted. */
function attempts({ index, extraIndex, architecture }: PipOptions): string[][] {
  const machine = architecture === 'arm64' ? 'aarch64' : 'x86_64'
  const platforms = ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_17', 'manylinux2014']
  const foreign = [
    ...['--python-version', '3.11', '--implementation', 'cp'],
    ...platforms.flatMap((platform) => ['--platform', `${platform}_${machine}`]),
  ]
  const places = index
    ? [['--index-url', index.href]]
    : [[], ...(extraIndex ? [['--extra-index-url', extraIndex.href]] : [])]
  return [[], foreign].flatMap((python) => places.map((place) => [...python, ...place]))
}

/** Lets pip fetch and check one wheel; returns its path. @throws SetupError `ERR_SETUP_SOURCE` with pip's last words, AbortedError */
export async function pipDownload(wanted: PipWanted, options: PipOptions): Promise<string> {
  const requirement = pipRequirement(wanted)
  await mkdir(options.scratch, { recursive: true })
  const folder = await mkdtemp(path.join(options.scratch, 'pip-'))
  const refusals: string[] = []
  for (const extra of attempts(options)) {
    options.report({ type: 'note', text: `pip download ${[...extra, requirement].join(' ')}` })
    const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--dest', folder, ...extra, requirement]
    const { status, last } = await run(args, options.signal)
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'))
    if (status === 0 && wheel !== undefined) return path.join(folder, wheel)
    refusals.push(last)
  }
  const [first] = refusals
  throw new SetupError(
    `pip has no ${requirement}: ${first}. Leave --pip out, or name another source with --mirror or --from`,
    'ERR_SETUP_SOURCE',
    { requirement, refusals },
  )
}

/** pip's progress goes to standard error, so that standard output stays ours. */
async function run(
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ status: number | null; last: string }> {
  const child = spawn('python3', args, { stdio: ['ignore', 2, 'pipe'], ...(signal ? { signal } : {}) })
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000)
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).catch((error: NodeJS.ErrnoException) => {
    if (signal?.aborted) throw new AbortedError('setup was stopped', {}, signal.reason)
    if (error.code === 'ENOENT')
      throw new SetupError('--pip needs python3, which is not there: leave --pip out', 'ERR_SETUP_SOURCE', {}, error)
    throw error
  })
  return { status, last: text.trim().split('\n').at(-1)?.replace(/\.$/, '') || `exit status ${status}` }
}
