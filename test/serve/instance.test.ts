import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../lib/io/checkpoint.js'
import { readCheckpoint } from '../../lib/io/checkpoint.js'
import { Model } from '../../lib/model/model.js'
import { snn } from '../../lib/model/spec.js'
import { activityOf, spikingLayers } from '../../lib/serve/activity.js'
import { Instance } from '../../lib/serve/instance.js'
import { WorkerInstance } from '../../lib/serve/worker-instance.js'
import { settledTensors } from '../unit/settled-tensors.js'
import { ageless, checkpointOf, load, mixed, numbers, output, request, turn, value } from './networks.js'

let folder: string
let checkpoint: Checkpoint
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-instance-'))
  checkpoint = await checkpointOf(join(folder, 'mixed.safetensors'), mixed)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('an instance', () => {
  it('gives what the model itself predicts', async () => {
    const data = numbers(5 * 36, 1)
    using model = await Model.load(checkpoint.path, { device: 'cpu' })
    const direct = await model.predict({ data, shape: [5, 1, 6, 6] })
    const instance = await Instance.create(checkpoint, 'cpu')
    const { scores } = await instance.run({
      data,
      shape: [5, 1, 6, 6],
      dtype: 'float32',
      steps: false,
      record: false,
      measure: false,
    })
    await instance.dispose()
    expect(new Set(direct.scores).size).toBeGreaterThan(5)
    expect(scores.length).toBe(15)
    for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(direct.scores[i]!, 5)
  })

  it('keeps the states as they were when a batch fails', async () => {
    const instance = await Instance.create(checkpoint, 'cpu')
    const frame = (seed: number) => ({
      data: numbers(36, seed),
      shape: [1, 1, 1, 6, 6],
      dtype: 'float32' as const,
      steps: true,
      record: false,
      measure: false,
    })
    await instance.run({ ...frame(1), state: { from: [0], to: [1], age: 0 } })
    const twice = { ...frame(2), shape: [1, 1, 1, 6, 5], data: numbers(30, 2) }
    await expect(instance.run({ ...twice, state: { from: [1], to: [1], age: 1 } })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    })
    const second = await instance.run({ ...frame(2), state: { from: [1], to: [1], age: 1 } })
    const whole = await instance.run({
      ...frame(0),
      data: Float32Array.from([...numbers(36, 1), ...numbers(36, 2)]),
      shape: [1, 2, 1, 6, 6],
    })
    await instance.dispose()
    expect(Array.from(second.steps!)).toEqual(Array.from(whole.steps!.slice(3)))
  })

  it('gives back every tensor, failed batches included', async () => {
    const before = await settledTensors()
    const instance = await Instance.create(checkpoint, 'cpu')
    await instance.warmUp([1, 4])
    for (const record of [false, true]) {
      const batch = {
        data: numbers(72, 3),
        shape: [2, 1, 6, 6],
        dtype: 'float32' as const,
        steps: true,
        record,
        measure: record,
      }
      await instance.run(batch)
      await instance.run({ ...batch, state: { from: [0, 0], to: [40, 41], age: 0 } })
      await instance.run({ ...batch, state: { from: [40, 41], to: [40, 41], age: 3 } })
      await expect(instance.run({ ...batch, shape: [2, 1, 1, 36] })).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    }
    await instance.dispose()
    expect(await settledTensors()).toBe(before)
  })
})

describe('an instance in a thread of its own', () => {
  const batch = {
    data: numbers(72, 3),
    shape: [2, 1, 6, 6],
    dtype: 'float32' as const,
    steps: true,
    record: true,
    measure: true,
  }

  it('computes the same, and leaves no thread behind', async () => {
    const workers: Worker[] = []
    const listener = (worker: Worker): void => void workers.push(worker)
    process.on('worker', listener)
    const threaded = new WorkerInstance(checkpoint, 'cpu', 1)
    await threaded.warmUp([1])
    const instance = await Instance.create(checkpoint, 'cpu')
    const [there, here] = [await threaded.run(batch), await instance.run(batch)]
    expect({ ...there, times: {} }).toEqual({ ...here, times: {} })
    await instance.dispose()
    process.removeListener('worker', listener)
    const ended = new Promise((resolve) => workers[0]!.once('exit', resolve))
    await Promise.all([threaded.dispose(), threaded.dispose()])
    await threaded.dispose()
    expect(await ended).toBe(0)
    expect(workers.length).toBe(1)
  })

  it('tells why it failed, and goes on', async () => {
    const threaded = new WorkerInstance(checkpoint, 'cpu', 1)
    await expect(threaded.run({ ...batch, shape: [2, 1, 1, 36] })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: expect.stringContaining('the network expects samples of shape [1, 6, 6]'),
    })
    expect((await threaded.run(batch)).scores.length).toBe(6)
    await threaded.dispose()
  })

  it('that dies fails what it was asked, and is replaced', async () => {
    const made = new Promise<Worker>((resolve) => process.once('worker', resolve))
    const threaded = new WorkerInstance(checkpoint, 'cpu', 1)
    await threaded.run(batch)
    const asked = expect(threaded.run(batch)).rejects.toMatchObject({ code: 'ERR_SERVE_NOT_READY' })
    await (await made).terminate()
    await asked
    expect((await threaded.run(batch)).scores.length).toBe(6)
    await threaded.dispose()
  })

  it('computes beside the others', async () => {
    const served = await load(checkpoint, { instances: 2, batching: { maximumSize: 1, maximumDelay: 0 } })
    const answers = [1, 2, 3].map((seed) => served.infer(request(value(numbers(36, seed), [1, 1, 6, 6]))))
    await turn()
    expect(served.statistics()).toMatchObject({ computing: 2, waiting: 1 })
    using model = await Model.load(checkpoint.path, { device: 'cpu' })
    for (const [index, result] of (await Promise.all(answers)).entries()) {
      const { scores } = await model.predict(numbers(36, index + 1))
      for (const [i, score] of output(result).entries()) expect(score).toBeCloseTo(scores[i]!, 5)
    }
    await served.dispose()
  })
})

describe('activity', () => {
  it('counts spikes and synaptic operations as they are in a recording', async () => {
    const path = join(folder, 'dense.safetensors')
    const dense = await checkpointOf(path, ageless, 4)
    const data = numbers(7 * 12, 5)
    using model = await Model.load(path, { device: 'cpu' })
    const { layers } = await model.record({ data, shape: [7, 12] })
    const count = (name: string): number => layers[name]!.spikes!.data.reduce((sum, spike) => sum + spike, 0)
    const served = await load(dense)
    const { activity } = await served.infer(request(value(data, [7, 12])))
    await served.dispose()
    expect(Math.min(count('layers.1'), count('layers.3'))).toBeGreaterThan(0)
    expect(activity.spikes).toBe(count('layers.1') + count('layers.3'))
    // Each spike of the first layer reaches the 6 neurons of the second, each of theirs the 3 readouts.
    expect(activity.synapticOperations).toBe(6 * count('layers.1') + 3 * count('layers.3'))
  })

  it('follows spikes through pools, blocks and convolutions', () => {
    const spec = snn({ input: [2, 8, 8], steps: 2 })
      .convBlock(4)
      .lif()
      .averagePool(2)
      .sewBlock(4)
      .sewBlock(6, { stride: 2, stages: 1 })
      .classifier(5)
    const layers = spikingLayers(spec)
    // A 3×3 window with padding 1 has 10 of 12 places of a row of 4 inside: (10/4)² windows a place.
    const windows = (10 / 4) ** 2
    // With stride 2, its 2 places along an axis see 2 + 3 of the 4.
    const strided = (5 / 4) ** 2
    const beyond = 6 * (strided + 0.25)
    expect(layers).toEqual([
      { neurons: 256, fanOut: expect.closeTo((4 * windows + beyond) / 4, 10) },
      { neurons: 64, fanOut: expect.closeTo(4 * windows, 10) },
      { neurons: 64, fanOut: expect.closeTo(beyond, 10) },
      { neurons: 24, fanOut: 5 },
      { neurons: 24, fanOut: 5 },
    ])
    expect(activityOf(layers, [0.5, 0, 0, 0.25, 0], 4)).toEqual({
      spikes: 512 + 24,
      synapticOperations: expect.closeTo(512 * ((4 * windows + beyond) / 4) + 24 * 5, 6),
    })
  })

  it('is measured alone, and in one batch of eight of several', async () => {
    const dense = await checkpointOf(join(folder, 'sampled.safetensors'), ageless, 4)
    const served = await load(dense, { batching: { maximumSize: 2, maximumDelay: 0 } })
    const ask = (seed: number) => served.infer(request(value(numbers(12, seed), [1, 12])))
    const pair = async (...seeds: [number, number]) => (await Promise.all(seeds.map(ask)))[0]!.activity
    const [busy, quiet] = [await ask(5), await ask(8)]
    expect(busy.activity.spikes).not.toBe(quiet.activity.spikes)
    expect((await pair(5, 5)).spikes).toBe(busy.activity.spikes)
    const later = []
    for (let i = 0; i < 9; i++) later.push((await pair(8, 8)).spikes)
    // The next one is measured; those after it are taken to be alike, until the eighth.
    expect(later).toEqual(new Array(9).fill(quiet.activity.spikes))
    expect((await pair(5, 5)).spikes).toBe(quiet.activity.spikes)
    expect((await ask(5)).activity).toEqual(busy.activity)
    await served.dispose()
  })

  it('names the layers in the order in which the network measures them', async () => {
    using model = await Model.create(mixed, { device: 'cpu' })
    const { layers } = await model.record({ data: numbers(36, 1), shape: [1, 1, 6, 6] })
    const neurons = Object.values(layers).flatMap(({ spikes }) =>
      spikes ? [spikes.shape.slice(2).reduce((a, b) => a * b, 1)] : [],
    )
    expect(spikingLayers(mixed).map((layer) => layer.neurons)).toEqual(neurons)
  })
})

describe('a checkpoint that says how it is served', () => {
  const serving = { input: { name: 'image', datatype: 'UINT8' as const }, outputs: { scores: 'digits' } }

  it('is served under the names that it gives', async () => {
    const named = await checkpointOf(join(folder, 'named.safetensors'), mixed, 1, {
      ...serving,
      labels: ['a', 'b', 'c'],
    })
    const served = await load(named)
    expect(served.signature).toMatchObject({
      inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, 1, 6, 6] }],
      outputs: [
        { name: 'digits', datatype: 'FP32', shape: [-1, 3] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
        { name: 'classes', datatype: 'INT64', shape: [-1] },
        { name: 'steps', datatype: 'FP32', shape: [-1, -1, 3] },
      ],
      labels: ['a', 'b', 'c'],
      steps: 3,
    })
    const inputs = new Map([['image', value(new Uint8Array(36).fill(255), [1, 1, 6, 6])]])
    const bright = await served.infer({ inputs, outputs: ['digits'] })
    const numbers = new Map([['image', value(new Float32Array(36).fill(1), [1, 1, 6, 6])]])
    expect(output(bright, 'digits')).toEqual(output(await served.infer({ inputs: numbers, outputs: [] }), 'digits'))
    await served.dispose()
  })

  it('refuses to write what does not fit the network', async () => {
    using model = await Model.create(mixed, { device: 'cpu' })
    const path = join(folder, 'refused.safetensors')
    const save = (value: unknown) => model.save(path, { serving: value as never })
    await expect(save({ labels: ['a'] })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: 'save: serving gives 1 labels, but the network has 3 classes',
    })
    await expect(save({ input: { datatype: 'FP8' } })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(save({ input: { name: '' } })).rejects.toMatchObject({ code: 'ERR_TYPE' })
    await expect(save({ outputs: { scores: 'classes' } })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(save({ inputs: {} })).rejects.toMatchObject({ name: 'ArgumentError' })
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_MISSING' })
  })
})
