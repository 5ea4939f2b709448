/**
 * What a saving in operations is worth on this processor: time, and energy where it can be read, of one sample at a time through
 * `Model.predict`.
 */
import type { ArrayDataset } from '../../data/arrays.js'
import type { InputArray } from '../../data/dataset.js'
import { AbortedError, ArgumentError } from '../../errors.js'
import { type Engine, engines as knownEngines } from '../../model/engine.js'
import { Model } from '../../model/model.js'
import { wholeNumber } from '../quantity.js'
import { type EnergyCounter, openEnergyCounter } from './energy-counter.js'

export interface InferenceTime {
  readonly name: string
  readonly engine: Engine
  readonly samples: number
  /** Milliseconds a sample: median, and the middle half. */
  readonly median: number
  readonly lower: number
  readonly upper: number
  /** Microjoules a sample by the processor's counter, of the whole package; undefined where there is none. */
  readonly energy?: number
}

export interface InferenceTimeOptions {
  /** Default: all. */
  readonly engines?: readonly Engine[]
  /** Samples timed for each network and engine. Default 300. */
  readonly samples?: number
  /** Threads libtorch computes with. Default 1. */
  readonly threads?: number
  readonly signal?: AbortSignal
}

/**
 * Times networks on single samples, turn by turn, so that what else the machine does falls on all of them alike.
 *
 * @param networks names and checkpoint files
 * @throws AbortedError `ERR_ABORTED`, ArgumentError `ERR_RANGE`, CheckpointError
 */
export async function timeInference(
  networks: readonly { readonly name: string; readonly path: string }[],
  data: ArrayDataset,
  options: InferenceTimeOptions = {},
): Promise<readonly InferenceTime[]> {
  const { engines = knownEngines, samples = 300, threads = 1, signal } = options
  wholeNumber('timeInference', 'samples', samples, { min: 1 })
  for (const engine of engines) {
    if (!knownEngines.includes(engine)) {
      const wanted = knownEngines.join(', ')
      throw new ArgumentError(
        `timeInference: engines must be among ${wanted}, got ${JSON.stringify(engine)}`,
        'ERR_RANGE',
      )
    }
  }
  const models: { readonly name: string; readonly model: Model }[] = []
  try {
    for (const { name, path } of networks) {
      models.push({ name, model: await Model.load(path, { device: 'cpu', threads }) })
    }
    const runs = models.flatMap(({ name, model }) => engines.map((engine) => new Run(name, model, engine)))
    const counter = await openEnergyCounter()
    const warmUp = Math.ceil(samples / 10)
    for (let i = -warmUp; i < samples; i++) {
      if (signal?.aborted) throw new AbortedError('timing was stopped by its signal', {}, signal.reason)
      const { input } = data.sample((i + warmUp) % data.length)
      for (const run of runs) await run.time(input, i >= 0)
    }
    // The counter moves about once a millisecond: only many samples in a row are told apart.
    if (counter) for (const run of runs) await run.measureEnergy(data, samples, counter)
    return runs.map((run) => run.result)
  } finally {
    for (const { model } of models) model.dispose()
  }
}

/** One network by one engine. */
class Run {
  readonly #name: string
  readonly #model: Model
  readonly #engine: Engine
  readonly #times: number[] = []
  #energy: number | undefined

  constructor(name: string, model: Model, engine: Engine) {
    this.#name = name
    this.#model = model
    this.#engine = engine
  }

  async time(input: InputArray, counts: boolean): Promise<void> {
    const began = performance.now()
    await this.#predict(input)
    if (counts) this.#times.push(performance.now() - began)
  }

  async #predict(input: InputArray): Promise<void> {
    await this.#model.predict(input, { engine: this.#engine })
  }

  async measureEnergy(data: ArrayDataset, samples: number, counter: EnergyCounter): Promise<void> {
    await counter.microjoules()
    for (let i = 0; i < samples; i++) {
      await this.#predict(data.sample(i % data.length).input)
    }
    this.#energy = (await counter.microjoules()) / samples
  }

  get result(): InferenceTime {
    const sorted = Float64Array.from(this.#times).sort()
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
    return {
      name: this.#name,
      engine: this.#engine,
      samples: sorted.length,
      median: at(0.5),
      lower: at(0.25),
      upper: at(0.75),
      ...(this.#energy === undefined ? {} : { energy: this.#energy }),
    }
  }
}
