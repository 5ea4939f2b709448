/**
 * An instance in a thread of its own. An environment has one executor, so networks of one thread take turns; each worker
 * thread is an environment with an executor and a team of threads of its own, and they compute at the same time.
 */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Checkpoint } from '../io/checkpoint.js'
import { packageFolder } from '../runtime/files.js'
import { ServeError } from './errors.js'
import type { BatchComputer, BatchInput, BatchOutput } from './instance.js'
import { type Answer, errorFrom, type Question, type WorkerStart } from './worker-messages.js'

interface Waiting {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

export class WorkerInstance implements BatchComputer {
  readonly #start: WorkerStart
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #exited: Promise<unknown> = Promise.resolve()
  #next = 0
  #disposed: Promise<void> | undefined

  /** @param threads that it computes with */
  constructor({ spec, dtype, seed, tensors, scales }: Checkpoint, device: string, threads: number) {
    this.#start = { spec: spec.toJSON(), dtype, seed, tensors, scales, device, threads }
  }

  async warmUp(sizes: readonly number[]): Promise<void> {
    await this.#ask({ kind: 'warmUp', sizes })
  }

  async run(batch: BatchInput): Promise<BatchOutput> {
    const { output } = await this.#ask({ kind: 'run', batch })
    return output!
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#end()
    return this.#disposed
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    await this.#ask({ kind: 'dispose' })
    // Its end is waited for, if by nothing else.
    worker.ref()
    await this.#exited
  }

  /** A thread that has died is replaced at the next question; what it carried for sequences is lost. */
  #ask(question: Question): Promise<Answer> {
    this.#worker ??= this.#open()
    const id = this.#next++
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // It keeps the process alive while it has something to answer.
      worker.ref()
      worker.postMessage({ id, question })
    })
  }

  #open(): Worker {
    const worker = startWorker(this.#start)
    worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (this.#waiting.size === 0) worker.unref()
      if (answer.failure === undefined) waiting?.resolve(answer)
      else waiting?.reject(errorFrom(answer.failure))
    })
    let reason: unknown
    worker.on('error', (error) => {
      reason = error
    })
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        if (this.#worker === worker) this.#worker = undefined
        const message = `the thread of a model's instance ended (exit code ${code})`
        for (const waiting of this.#waiting.values()) {
          waiting.reject(new ServeError(message, 'ERR_SERVE_NOT_READY', {}, reason))
        }
        this.#waiting.clear()
        resolve(undefined)
      })
    })
    return worker
  }
}

/** From dist/, or in a checkout from the source, which tsx reads then. */
function startWorker(workerData: WorkerStart): Worker {
  const here = fileURLToPath(import.meta.url)
  if (!here.endsWith('.ts')) {
    return new Worker(pathToFileURL(join(packageFolder, 'dist/serve/instance-worker.js')), { workerData })
  }
  const tsx = import.meta.resolve('tsx/esm/api')
  const entry = new URL('./instance-worker.ts', import.meta.url)
  const program = `import('${tsx}').then(({ tsImport }) => tsImport('${entry}', '${import.meta.url}'))`
  return new Worker(program, { workerData, eval: true })
}
