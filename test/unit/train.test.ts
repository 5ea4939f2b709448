import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromArrays } from '../../lib/data/arrays.js'
import { fromIterable } from '../../lib/data/iterable.js'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { createOptimizer } from '../../lib/nn/index.js'
import { native } from '../../lib/runtime/addon.js'
import { crossEntropy, mean, scope, tensor } from '../../lib/tensor/index.js'
import type { EpochEvent, TrainEvent } from '../../lib/train/events.js'
import { losses } from '../../lib/train/losses.js'
import { adamW, sgd } from '../../lib/train/optimizers.js'
import type { TrainOptions } from '../../lib/train/options.js'
import { firingRate } from '../../lib/train/regularizers.js'
import { cosine } from '../../lib/train/schedules.js'
import { settledTensors } from './settled-tensors.js'
import { collect, ofType, stripeNetwork, stripes, timeless } from './train-data.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-train-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const data = stripes(50)

function create(seed = 1): Promise<Model> {
  return Model.create(stripeNetwork(), { seed, device: 'cpu' })
}

function weights(model: Model): unknown[] {
  return model.tensors().map(({ tensor: value }) => value.toTypedArray())
}

describe('a run', () => {
  it('learns', async () => {
    using model = await create()
    const events = await collect(
      model.train(stripes(300), {
        epochs: 6,
        batchSize: 20,
        optimizer: adamW({ lr: 0.02 }),
        validation: stripes(100, 2),
      }),
    )
    const epochs = ofType(events, 'epoch')
    expect(epochs.at(-1)?.loss).toBeLessThan((epochs[0]?.loss ?? 0) * 0.7)
    expect(epochs.at(-1)?.validation?.accuracy).toBeGreaterThan(0.95)
    const { accuracy } = await model.evaluate(stripes(100, 2))
    expect(accuracy).toBe(epochs.at(-1)?.validation?.accuracy)
  })

  it('tells its events in order', async () => {
    using model = await create()
    const events = await collect(model.train(data, { epochs: 2, batchSize: 20, validation: stripes(10) }))
    expect(events.map(({ type }) => type)).toEqual([
      'start',
      'step',
      'step',
      'step',
      'epoch',
      'step',
      'step',
      'step',
      'epoch',
      'end',
    ])
    expect(events[0]).toMatchObject({
      epochs: 2,
      batches: 3,
      totalSteps: 6,
      parameters: 40 + 8 + 1 + 435,
      device: 'cpu',
    })
    expect(ofType(events, 'step').map(({ epoch, batch, step }) => [epoch, batch, step])).toEqual([
      [1, 1, 1],
      [1, 2, 2],
      [1, 3, 3],
      [2, 1, 4],
      [2, 2, 5],
      [2, 3, 6],
    ])
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'done', epoch: 2, step: 6 })
  })

  it('gives as the figures of an epoch the means over its samples', async () => {
    using model = await create()
    const events = await collect(model.train(data, { batchSize: 20 }))
    const sizes = [20, 20, 10]
    const average = (of: (index: number) => number): number =>
      sizes.reduce((sum, size, index) => sum + of(index) * size, 0) / 50
    const steps = ofType(events, 'step')
    const [epoch] = ofType(events, 'epoch')
    expect(epoch?.samples).toBe(50)
    expect(epoch?.loss).toBeCloseTo(
      average((i) => steps[i]?.loss ?? 0),
      10,
    )
    expect(epoch?.accuracy).toBeCloseTo(
      average((i) => steps[i]?.accuracy ?? 0),
      10,
    )
    expect(epoch?.firingRates['layers.2']).toBeCloseTo(
      average((i) => steps[i]?.firingRates['layers.2'] ?? 0),
      10,
    )
    expect(epoch?.firingRate).toBe(epoch?.firingRates['layers.2'])
  })

  it('comes out the same, bit by bit, for the same seeds, and otherwise for others', async () => {
    const run = async (seed: number, order: number): Promise<unknown> => {
      using model = await create(seed)
      const events = await collect(model.train(data, { epochs: 2, batchSize: 16, seed: order }))
      return [events, weights(model)]
    }
    const first = await run(1, 5)
    expect(await run(1, 5)).toEqual(first)
    expect(await run(2, 5)).not.toEqual(first)
    expect(await run(1, 6)).not.toEqual(first)
  })

  it('gives step events as often as asked', async () => {
    using model = await create()
    const events = await collect(model.train(data, { epochs: 2, batchSize: 10, stepEvery: 4 }))
    expect(ofType(events, 'step').map(({ step }) => step)).toEqual([4, 8])
    expect(ofType(await collect(model.train(data, { stepEvery: 0 })), 'step')).toEqual([])
  })

  it('drops a short last batch where asked', async () => {
    using model = await create()
    const [start, ...rest] = await collect(model.train(data, { batchSize: 20, lastBatch: 'drop' }))
    expect(start).toMatchObject({ batches: 2 })
    expect(ofType(rest, 'epoch')[0]?.samples).toBe(40)
  })

  it('ends after maxSteps, within an epoch as at its end', async () => {
    using model = await create()
    const within = await collect(model.train(data, { epochs: 3, batchSize: 10, maxSteps: 7 }))
    expect(ofType(within, 'epoch')).toHaveLength(1)
    expect(within.at(-1)).toMatchObject({ reason: 'maxSteps', step: 7 })
    const atEnd = await collect(model.train(data, { epochs: 3, batchSize: 10, maxSteps: 10 }))
    expect(ofType(atEnd, 'epoch')).toHaveLength(2)
    expect(atEnd.at(-1)).toMatchObject({ reason: 'maxSteps', step: 10 })
  })

  it('follows its schedule and clips gradients', async () => {
    const last = async (options: TrainOptions): Promise<unknown[]> => {
      using model = await create()
      const events = await collect(model.train(data, { batchSize: 10, ...options }))
      return [ofType(events, 'step').map(({ learningRate }) => learningRate), weights(model)]
    }
    const base = { optimizer: sgd({ lr: 0.5 }) }
    const [rates] = await last({ ...base, schedule: cosine() })
    const expected = [0, 1, 2, 3, 4].map((step) => (0.5 * (1 + Math.cos((Math.PI * step) / 5))) / 2)
    ;(rates as number[]).forEach((rate, step) => {
      expect(rate).toBeCloseTo(expected[step] ?? Number.NaN, 10)
    })
    expect(await last({ ...base, clipNorm: 1e-3 })).not.toEqual(await last(base))
    expect(await last({ ...base, clipNorm: 1e6 })).toEqual(await last(base))
  })

  it('draws firing rates to the target of the regulariser', async () => {
    const rate = async (options: TrainOptions): Promise<number> => {
      using model = await create()
      const events = await collect(
        model.train(data, { epochs: 8, batchSize: 25, optimizer: adamW({ lr: 0.02 }), ...options }),
      )
      return ofType(events, 'epoch').at(-1)?.firingRate ?? Number.NaN
    }
    const free = await rate({})
    const held = await rate({ regularizer: firingRate({ target: 0.01, weight: 100 }) })
    expect(Math.abs(held - 0.01)).toBeLessThan(Math.abs(free - 0.01) / 2)
  })

  it('learns regression targets, for which there is no accuracy', async () => {
    using model = await Model.create(
      snn({ input: [2], steps: 3 })
        .linear(8)
        .lif({ threshold: 0.3 })
        .linear(1),
    )
    const samples = Array.from({ length: 32 }, (_, i) => ({ input: [i / 32, 1], target: [(2 * i) / 32] }))
    const line = fromIterable(() => samples, { inputShape: [2], length: 32 })
    const events = await collect(
      model.train(line, { epochs: 60, batchSize: 8, loss: losses.mse(), optimizer: adamW({ lr: 0.02 }) }),
    )
    const epochs = ofType(events, 'epoch')
    expect(epochs.at(-1)?.loss).toBeLessThan((epochs[0]?.loss ?? 0) / 3)
    expect(epochs[0]?.accuracy).toBeNaN()
    expect((await model.evaluate(line, { loss: losses.mse() })).confusion).toEqual([])
  })

  it('learns yes-or-no decisions of maps, and none where the target is −1', async () => {
    using model = await Model.create(
      snn({ input: [1, 2, 2], steps: 4 })
        .convBlock(8, { kernel: 1, padding: 0 })
        .lif({ threshold: 0.3 })
        .timeMean()
        .convBlock(1, { kernel: 1, padding: 0 }),
    )
    // Bright or dark; the last place says the opposite and is left out.
    const samples = Array.from({ length: 32 }, (_, i) => {
      const bits = [0, 1, 2, 3].map((place) => (i >> place) & 1)
      return { input: bits, target: [...bits.slice(0, 3), -1] }
    })
    const maps = fromArrays({
      inputs: Float32Array.from(samples.flatMap(({ input }) => input)),
      shape: [32, 1, 2, 2],
      targets: Float32Array.from(samples.flatMap(({ target }) => target)),
      targetShape: [1, 2, 2],
    })
    const loss = losses.binaryCrossEntropy()
    const events = await collect(model.train(maps, { epochs: 40, batchSize: 8, loss, optimizer: adamW({ lr: 0.05 }) }))
    const [first, last] = [ofType(events, 'epoch')[0]!, ofType(events, 'epoch').at(-1)!]
    expect(first.accuracy).toBeNaN()
    expect(last.loss).toBeLessThan(0.1)
    expect((await model.evaluate(maps, { loss })).loss).toBeCloseTo(last.loss, 1)
  })

  it('reads data of unknown length', async () => {
    using model = await create()
    const samples = Array.from({ length: 25 }, (_, i) => data.sample(i))
    const stream = fromIterable(() => samples, { inputShape: [1, 6, 6] })
    const events = await collect(model.train(stream, { epochs: 2, batchSize: 10 }))
    expect(events[0]).toMatchObject({ batches: undefined, totalSteps: undefined })
    expect(ofType(events, 'epoch').map(({ samples: seen }) => seen)).toEqual([25, 25])
  })
})

describe('the consumer decides', () => {
  it('and nothing is trained while it does not ask', async () => {
    using model = await create()
    const run = model.train(data, { batchSize: 10 })
    await run.next()
    await run.next()
    const before = weights(model)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(weights(model)).toEqual(before)
    await run.next()
    expect(weights(model)).not.toEqual(before)
    await run.return()
  })

  it('and may leave by break, after which the model is free again', async () => {
    using model = await create()
    const before = await settledTensors()
    for await (const event of model.train(data, { batchSize: 10 })) if (event.type === 'step') break
    expect(native().memory().tensors).toBe(before)
    expect((await collect(model.train(data, { batchSize: 10 }))).at(-1)).toMatchObject({ reason: 'done' })
  })

  it('and may stop it by a signal, which ends the run without an error', async () => {
    using model = await create()
    const stop = new AbortController()
    const events: TrainEvent[] = []
    for await (const event of model.train(data, { epochs: 5, batchSize: 10, signal: stop.signal })) {
      events.push(event)
      if (event.type === 'step' && event.step === 7) stop.abort()
    }
    expect(ofType(events, 'step')).toHaveLength(7)
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'aborted', step: 7 })
    const never = await collect(model.train(data, { signal: AbortSignal.abort() }))
    expect(never.map(({ type }) => type)).toEqual(['start', 'end'])
  })

  it('but cannot run two at once', async () => {
    using model = await create()
    const first = model.train(data)
    await first.next()
    await expect(model.train(data).next()).rejects.toMatchObject({ name: 'StateError', code: 'ERR_BUSY' })
    await first.return()
    expect((await model.train(data).next()).value).toMatchObject({ type: 'start' })
  })

  it('and may evaluate and save between two events', async () => {
    using model = await create()
    using alone = await create()
    const straight = await collect(alone.train(data, { batchSize: 10 }))
    const events: TrainEvent[] = []
    for await (const event of model.train(data, { batchSize: 10 })) {
      events.push(timeless(event))
      await model.evaluate(data)
      await model.save(join(folder, 'between.safetensors'))
    }
    expect(events).toEqual(straight)
  })

  it('and gets an error when the model goes away', async () => {
    const model = await create()
    const run = model.train(data, { batchSize: 10 })
    await run.next()
    await run.next()
    model.dispose()
    await expect(run.next()).rejects.toMatchObject({ name: 'StateError', code: 'ERR_DISPOSED' })
  })
})

describe('options and data that do not fit', () => {
  it.each([
    [{ epochs: -1 }, 'train needs epochs to be a whole number of at least 0, got -1'],
    [{ batchSize: 0 }, 'train needs batchSize to be a whole number of at least 1, got 0'],
    [{ lr: 1 }, 'train has no option "lr"'],
    [{ resume: true }, 'train needs checkpoint: { directory } to resume from'],
    [
      { loss: { kind: 'hinge' } },
      'loss must be one of crossEntropy(), rateMse(), spikeCount(), mse(), binaryCrossEntropy(), got kind "hinge"',
    ],
    [
      { optimizer: { kind: 'adamW', learningRate: -1 } },
      'adamW needs learningRate to be a number of at least 0, got -1',
    ],
    [{ checkpoint: { directory: '' } }, 'train.checkpoint needs directory to be a path'],
    [{ validation: [] }, 'the validation data must be a dataset'],
  ])('are refused at the first event: %o', async (options, message) => {
    using model = await create()
    await expect(model.train(data, options as object).next()).rejects.toThrow(message)
  })

  it('names the shapes', async () => {
    using small = await Model.create(snn({ input: [1, 5, 5], steps: 2 }).classifier(3))
    await expect(small.train(data).next()).rejects.toThrow(
      'the training data has samples of shape [1, 6, 6], but the network takes [1, 5, 5]',
    )
    using two = await Model.create(snn({ input: [1, 6, 6], steps: 2 }).classifier(2))
    await expect(two.train(data).next()).rejects.toThrow(
      'the training data has 3 classes, but the network has 2 outputs',
    )
  })
})

describe('a loop of one’s own on the tensor layer', () => {
  it('reaches the weights that train reaches on the same batches', async () => {
    using trained = await create()
    using looped = await create()
    const spec = { epochs: 2, batchSize: 16, seed: 4, optimizer: adamW({ lr: 0.01 }) }
    await collect(trained.train(data, spec))

    const parameters = looped.parameters()
    using optimizer = createOptimizer(spec.optimizer, parameters)
    for (let epoch = 0; epoch < 2; epoch++) {
      for (const { inputs, shape, targets } of data.batches({ batchSize: 16, shuffle: true, seed: 4, epoch })) {
        scope(() => {
          const scores = looped.forward(tensor(inputs, { shape }), { training: true })
          const loss = crossEntropy(mean(scores, { dim: 1 }), tensor(targets as Int32Array, { dtype: 'int64' }))
          optimizer.zeroGrad()
          loss.backward()
          optimizer.step()
        })
      }
    }
    expect(weights(looped)).toEqual(weights(trained))
  })
})

describe('checkpoints', () => {
  const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
    epochs: 3,
    batchSize: 10,
    seed: 1,
    validation: stripes(20, 3),
    checkpoint: { directory: folder, everySteps: 2, everyEpochs: 1, keep: 3 },
    resume: true,
    ...more,
  })
  /** Events that both an interrupted and a straight run give. */
  const told = (events: readonly TrainEvent[]): TrainEvent[] =>
    events.filter(({ type }) => type === 'step' || type === 'epoch')

  it('are written when asked for, and only the newest kept', async () => {
    using model = await create()
    const events = await collect(model.train(data, options()))
    expect(ofType(events, 'checkpoint').map(({ step }) => step)).toEqual([2, 4, 5, 6, 8, 10, 10, 12, 14, 15])
    expect(await readdir(folder)).toEqual([
      'checkpoint-00000012.safetensors',
      'checkpoint-00000014.safetensors',
      'checkpoint-00000015.safetensors',
    ])
  })

  it.each([2, 3, 5, 6, 9, 15])('resume a run broken off after step %i as if nothing had happened', async (breakAt) => {
    using straight = await create()
    const expected = told(
      await collect(straight.train(data, { ...options(), checkpoint: { directory: join(folder, 'straight') } })),
    )

    const events: TrainEvent[] = []
    {
      using model = await create()
      for await (const event of model.train(data, options())) {
        if (event.type === 'step' && event.step === breakAt + 1) break
        events.push(timeless(event))
      }
    }
    using resumed = await create(99)
    const rest = await collect(resumed.train(data, options()))
    const from = ofType(rest, 'resume')[0]?.step ?? 0
    // The end of an epoch has a checkpoint too, which a run broken off in the step after it has written.
    expect(from).toBe(breakAt === 5 || breakAt === 15 ? breakAt : breakAt - (breakAt % 2))
    const kept = told(events).filter((event) => 'step' in event && event.step <= from)
    expect([...kept, ...told(rest)]).toEqual(expected)
    expect(weights(resumed)).toEqual(weights(straight))
  })

  it('are written when a signal stops the run', async () => {
    using model = await create()
    const stop = new AbortController()
    const events: TrainEvent[] = []
    const checkpoint = { directory: folder }
    for await (const event of model.train(data, options({ signal: stop.signal, checkpoint }))) {
      events.push(event)
      if (event.type === 'step' && event.step === 3) stop.abort()
    }
    expect(events.slice(-2)).toMatchObject([
      { type: 'checkpoint', step: 3 },
      { type: 'end', reason: 'aborted' },
    ])
    using resumed = await create(99)
    const rest = await collect(resumed.train(data, options({ checkpoint })))
    expect(ofType(rest, 'resume')[0]).toMatchObject({ step: 3, epoch: 1, skipped: [] })
    using straight = await create()
    await collect(straight.train(data, options({ resume: false, checkpoint: { directory: join(folder, 'straight') } })))
    expect(weights(resumed)).toEqual(weights(straight))
  })

  it('are usable as models', async () => {
    using model = await create()
    const events = await collect(model.train(data, options()))
    using loaded = await Model.load(ofType(events, 'checkpoint').at(-1)?.path ?? '')
    expect(weights(loaded)).toEqual(weights(model))
  })

  it('that are damaged give way to the one before, and the event says so', async () => {
    using model = await create()
    const paths = ofType(await collect(model.train(data, options())), 'checkpoint').map(({ path }) => path)
    const newest = paths.at(-1) ?? ''
    const bytes = await readFile(newest)
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 4
    await writeFile(newest, bytes)
    using resumed = await create()
    const events = await collect(resumed.train(data, options()))
    expect(events[1]).toMatchObject({
      type: 'resume',
      step: 14,
      skipped: [{ path: newest, code: 'ERR_CHECKPOINT_CHECKSUM' }],
    })
    expect(weights(resumed)).toEqual(weights(model))
  })

  it('that are all damaged are an error, not a new beginning', async () => {
    using model = await create()
    await collect(model.train(data, options()))
    for (const name of await readdir(folder)) await writeFile(join(folder, name), 'nothing')
    const before = weights(model)
    const run = model.train(data, options())
    await run.next()
    await expect(run.next()).rejects.toMatchObject({ name: 'CheckpointError', code: 'ERR_CHECKPOINT_TRUNCATED' })
    expect(weights(model)).toEqual(before)
  })

  it.each([
    [{ batchSize: 20 }, 'batchSize was 10 and is now 20'],
    [{ seed: 77 }, 'seed was 1 and is now 77'],
    [{ optimizer: sgd() }, 'optimizer was'],
  ])('of a run with other settings are refused: %o', async (change, message) => {
    using model = await create()
    await collect(model.train(data, options({ epochs: 1 })))
    const run = model.train(data, options(change))
    await run.next()
    const refused = run.next()
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_RUN' })
    await expect(refused).rejects.toThrow(message)
  })

  it('of another network are refused', async () => {
    using model = await create()
    await collect(model.train(data, options({ epochs: 1 })))
    using other = await Model.create(snn({ input: [1, 6, 6], steps: 3 }).classifier(3), { seed: 1 })
    const run = other.train(data, options())
    await run.next()
    await expect(run.next()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_RUN' })
  })

  it('let a finished run go on for more epochs', async () => {
    using straight = await create()
    const expected = ofType(
      await collect(straight.train(data, options({ checkpoint: { directory: join(folder, 'straight') } }))),
      'epoch',
    )
    using model = await create()
    await collect(model.train(data, options({ epochs: 2 })))
    const more: EpochEvent[] = ofType(await collect(model.train(data, options())), 'epoch')
    expect(more).toEqual(expected.slice(2))
    const nothing = await collect(model.train(data, options()))
    expect(nothing.map(({ type }) => type)).toEqual(['start', 'resume', 'end'])
  })
})
