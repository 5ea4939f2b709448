import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))
const tsx = import.meta.resolve('tsx')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Start {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Modules to load before the program. */
  readonly imports?: readonly string[]
  /** Called with each line of standard output as it comes. */
  readonly line?: (line: string, interrupt: () => void) => void
}

/** Runs `spikingrx` with these arguments in a process of its own. */
export async function spikingrx(args: readonly string[], start: Start = {}): Promise<Ended> {
  const imports = [tsx, ...(start.imports ?? [])].flatMap((module) => ['--import', module])
  const { SPIKINGRX_DEBUG: _debug, npm_lifecycle_event: _npm, ...environment } = process.env
  const child = spawn(process.execPath, [...imports, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, ...start.environment },
    ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
  })
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    start.line?.(line, () => child.kill('SIGINT'))
  }
  return { code: await closed, stdout: lines.join('\n'), stderr: stderr.trimEnd() }
}
