/** `metrics.jsonl`: one event of the run per line, steps and epochs. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../io/replace-file.js'
import type { EpochEvent, ResumeEvent, StepEvent, TrainEvent } from '../train/events.js'

export type Metric = StepEvent | EpochEvent

/**
 * The events of a run, in memory and on disk. Lines are written at once, so that they are there before the checkpoint
 * that follows them: a run killed and resumed has the lines of an uninterrupted one.
 */
export class MetricsLog {
  readonly #path: string
  readonly #metrics: Metric[]
  #file: number

  private constructor(path: string, metrics: Metric[], file: number) {
    this.#path = path
    this.#metrics = metrics
    this.#file = file
  }

  /** Begins the log of a run in `directory`; of an earlier one, what was done before the resumed position stays. */
  static async open(directory: string, resumed?: ResumeEvent): Promise<MetricsLog> {
    const path = join(directory, 'metrics.jsonl')
    const metrics = resumed ? (await readMetrics(path)).filter((metric) => isBefore(metric, resumed)) : []
    await replaceFile(path, (file) => file.writeFile(metrics.map(line).join('')))
    return new MetricsLog(path, metrics, openSync(path, 'a'))
  }

  get path(): string {
    return this.#path
  }

  /** Steps and epochs so far, those before a resume included. */
  get metrics(): readonly Metric[] {
    return this.#metrics
  }

  /** Takes steps and epochs, and leaves the rest. */
  add(event: TrainEvent): void {
    if (event.type !== 'step' && event.type !== 'epoch') return
    this.#metrics.push(event)
    writeSync(this.#file, line(event))
  }

  close(): void {
    if (this.#file < 0) return
    closeSync(this.#file)
    this.#file = -1
  }
}

/** Figures that are no numbers (NaN) stand as null. */
function line(metric: Metric): string {
  return `${JSON.stringify(metric)}\n`
}

async function readMetrics(path: string): Promise<Metric[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((one) => {
    try {
      return [JSON.parse(one) as Metric]
    } catch {
      // Empty, or cut off when the process was killed.
      return []
    }
  })
}

function isBefore(metric: Metric, { epoch, step }: ResumeEvent): boolean {
  return metric.type === 'epoch' ? metric.epoch < epoch : metric.step <= step
}
