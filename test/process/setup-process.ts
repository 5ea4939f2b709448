import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { SetupEvent } from '../../lib/runtime/setup/events.js'
import type { SetupResult } from '../../lib/runtime/setup/setup.js'

const program = fileURLToPath(new URL('setup-run.ts', import.meta.url))

export interface SetupOutcome {
  readonly result: SetupResult | undefined
  readonly error: { readonly name: string; readonly code: string; readonly message: string } | undefined
  readonly notes: readonly string[]
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface SetupArguments {
  readonly cache: string
  readonly mirror?: string
  /** Null: as the source is, or the driver. */
  readonly build?: 'cpu' | 'cuda' | null
  readonly from?: string
  readonly dryRun?: boolean
  readonly limits?: object
  readonly hang?: boolean
  readonly environment?: Readonly<Record<string, string>>
  readonly watch?: (event: SetupEvent, child: ChildProcess) => void
}

/** Runs setup-run.ts in a process of its own. */
export async function runSetup({
  environment,
  watch,
  build = 'cpu',
  dryRun = false,
  ...rest
}: SetupArguments): Promise<SetupOutcome> {
  const request = JSON.stringify({ build, pip: false, dryRun, ...rest })
  const proxies = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy$/i.test(name)))
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program, request], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...proxies, ...environment },
  })
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  )
  const notes: string[] = []
  let last: { result?: SetupResult; error?: SetupOutcome['error'] } = {}
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line)
    if ('result' in event || 'error' in event) last = event
    else watch?.(event, child)
    if (event.type === 'note') notes.push(event.text)
  }
  const [code, signal] = await closed
  return { result: last.result, error: last.error, notes, code, signal }
}
