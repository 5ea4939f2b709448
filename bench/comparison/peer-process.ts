/** A peer as a process that answers one request at a time, a line of JSON each way (bench/peers/comparison/peer.py). */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** An array in a raw little-endian file, time first. */
export interface ArrayFile {
  readonly file: string
  readonly dtype: 'float32' | 'uint8'
  readonly shape: readonly number[]
}

export interface Answer {
  readonly versions?: Readonly<Record<string, string>>
  readonly outputs?: Readonly<Record<string, ArrayFile>>
  /** Bytes resident at most during the run beyond those before; null where the system does not tell. */
  readonly memory?: number | null
  readonly compileSeconds?: number | null
  /** Seconds of one run. */
  readonly wall?: number
  readonly processor?: number
  readonly figures?: Readonly<Record<string, number>>
}

/** `unsupported`: the peer has no such case. `failed`: it tried. `ended`: there is no process to ask any more. */
export type FailureKind = 'unsupported' | 'failed' | 'ended'

export class PeerFailure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string) {
    super(message)
    this.name = 'PeerFailure'
    this.kind = kind
  }
}

export interface PeerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

const KEPT_LINES = 8

export class PeerProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #lastErrors: string[] = []
  readonly #lines: string[] = []
  #waiting: { resolve: (line: string) => void; reject: (error: PeerFailure) => void } | undefined
  #end: string | undefined
  readonly ended: Promise<void>

  constructor({ program, args, environment }: PeerCommand) {
    // A process group of its own, so that what it forked ends with it.
    this.#child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#arrived(line))
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      if (line.trim() === '') return
      this.#lastErrors.push(line.trim())
      if (this.#lastErrors.length > KEPT_LINES) this.#lastErrors.shift()
    })
    this.#child.stdin.on('error', () => {}) // the process is gone; `close` says so
    this.ended = new Promise((resolve) => {
      const finish = (how: string): void => {
        this.#end ??= how
        this.#waiting?.reject(this.#gone())
        this.#waiting = undefined
        resolve()
      }
      this.#child.once('error', (error) => finish(`could not be started: ${error.message}`))
      this.#child.once('close', (code, signal) => finish(signal ? `ended by ${signal}` : `ended with ${code}`))
    })
  }

  get alive(): boolean {
    return this.#end === undefined
  }

  /** What the process says of itself when it is ready. */
  hello(timeoutSeconds: number): Promise<Answer> {
    return this.#answer(timeoutSeconds)
  }

  /** @throws PeerFailure when it refuses, fails, ends, says something else, or takes too long (and is then killed) */
  ask(request: Readonly<Record<string, unknown>>, timeoutSeconds: number): Promise<Answer> {
    if (this.alive) this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    return this.#answer(timeoutSeconds)
  }

  /** Lets it end by itself, and kills it when it does not. */
  async close(): Promise<void> {
    this.#child.stdin.end()
    const late = setTimeout(() => this.kill(), 5000)
    await this.ended
    clearTimeout(late)
  }

  kill(): void {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL')
    }
  }

  async #answer(timeoutSeconds: number): Promise<Answer> {
    const line = await this.#line(timeoutSeconds)
    const { ok, ...rest } = parseAnswer(line)
    if (ok) return rest as Answer
    const { kind, error } = rest as { readonly kind?: string; readonly error?: string }
    throw new PeerFailure(kind === 'unsupported' ? kind : 'failed', error ?? 'it failed and did not say why')
  }

  #line(timeoutSeconds: number): Promise<string> {
    const ready = this.#lines.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    if (!this.alive) return Promise.reject(this.#gone())
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting = undefined
        this.#end = `gave no answer within ${timeoutSeconds} s`
        this.kill()
        reject(this.#gone())
      }, timeoutSeconds * 1000)
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(late)
          then(value)
        }
      this.#waiting = { resolve: settle(resolve), reject: settle(reject) }
    })
  }

  #arrived(line: string): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting.resolve(line)
    else this.#lines.push(line)
  }

  #gone(): PeerFailure {
    const last = this.#lastErrors.at(-1)
    return new PeerFailure('ended', `it ${this.#end}${last === undefined ? '' : ` (${last.slice(0, 200)})`}`)
  }
}

/** @throws PeerFailure for anything but `{"ok": ...}` */
export function parseAnswer(line: string): { readonly ok: boolean } & Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {}
  if (typeof value === 'object' && value !== null && 'ok' in value && typeof value.ok === 'boolean')
    return value as { readonly ok: boolean }
  const shown = line.length > 80 ? `${line.slice(0, 80)}...` : line
  throw new PeerFailure('failed', `it printed something that is no answer: ${JSON.stringify(shown)}`)
}
