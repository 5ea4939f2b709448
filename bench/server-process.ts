/** Servers in processes of their own, for benchmarks: `spikingrx serve`, and the Python server beside it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { installedPackages, pythonEnvironment, torchFolder } from '../test/python/python.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

export interface ServerProcess {
  readonly address: string
  readonly pid: number
  readonly child: ChildProcess
  /** Exit code and signal. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>
}

/**
 * Starts a server, and waits until it says "at http://..." and answers at `ready`.
 *
 * @param told gets every line of stdout and stderr
 */
async function start(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  ready: string,
  told: (line: string) => void = () => undefined,
): Promise<ServerProcess> {
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const last: string[] = []
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  )
  try {
    const address = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream! }).on('line', (line) => {
          last.push(line)
          if (last.length > 20) last.shift()
          told(line)
          const found = / at (http:\/\/[^\s"]+)/.exec(line)?.[1]
          if (found !== undefined) resolve(found)
        })
      }
      child.once('error', reject)
      void ended.then(([code]) => reject(new Error(`${command.join(' ')} ended with ${code}:\n${last.join('\n')}`)))
    })
    while (!(await answers(`${address}${ready}`))) await sleep(50)
    return { address, pid: child.pid!, child, ended }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.status === 200
}

/** @param program how to start the command line; the compiled one where undefined */
export function startServe(
  args: readonly string[],
  told?: (line: string) => void,
  program: readonly string[] = [join(root, 'dist', 'cli', 'main.js')],
): Promise<ServerProcess> {
  const command = [process.execPath, ...program, 'serve', ...args, '--port', '0']
  return start(command, {}, '/v2/health/ready', told)
}

/** Node's own HTTP server with one answer, always ready. */
export function startBare(): Promise<ServerProcess> {
  return start([process.execPath, join(root, 'bench', 'serve-bare.mjs')], {}, '/')
}

/** bench/peers/serve_fastapi.py, with the very torch libraries that the service computes with. */
export async function startFastApi(threads: number): Promise<ServerProcess> {
  const peers = join(root, 'bench', 'peers')
  const torch = torchFolder()
  if (!existsSync(join(torch, '__init__.py'))) throw new Error(`${torch} is libtorch without Python's torch`)
  const packages = installedPackages(join(peers, 'requirements.txt'), join(peers, 'requirements-alone.txt'))
  const environment = {
    ...pythonEnvironment([packages, dirname(torch)].join(delimiter)),
    PYTHONUNBUFFERED: '1',
    OMP_NUM_THREADS: String(threads),
    OMP_WAIT_POLICY: 'PASSIVE',
  }
  return start(['python3', join(peers, 'serve_fastapi.py'), String(threads)], environment, '/ready')
}

/** Ends a server as an operator would. */
export async function stop(server: ServerProcess): Promise<void> {
  server.child.kill('SIGTERM')
  const late = setTimeout(() => server.child.kill('SIGKILL'), 30_000)
  await server.ended
  clearTimeout(late)
}
