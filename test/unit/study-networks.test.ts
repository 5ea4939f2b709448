import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adam, assign, datasets, firingRate, Model, snn, tensor } from '../../lib/index.js'
import {
  checkPruning,
  countOperations,
  fanOuts,
  latencyCoded,
  magnitudeMask,
  matchedConnections,
  measureNetwork,
  type NetworkPlan,
  openEnergyCounter,
  Pruner,
  paretoFront,
  pruningProgress,
  type StudyData,
  timeInference,
  trainNetwork,
} from '../../lib/study/index.js'
import { spreadOf } from '../../lib/study/networks/spread.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-study-networks-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Sets parameters by their names. */
function setWeights(model: Model, values: Readonly<Record<string, readonly number[]>>): void {
  for (const { name, tensor: target } of model.tensors()) {
    if (values[name]) assign(target, tensor(Float32Array.from(values[name]), { shape: target.shape }))
    target.dispose()
  }
}

describe('the latency code', () => {
  it('lets a pixel spike at step round((1 − x)(T − 1)), and not below the threshold', async () => {
    const spec = snn({ input: [6], steps: 3 })
      .latencyEncoder({ threshold: 0.2 })
      .linear(2)
    await using model = await Model.create(spec)
    // 1.000 -> 0; .749 -> .502 -> 1; .502 -> .996 -> 1; .251 -> 1.498 -> 1; .2 -> 1.6 -> 2; .196 is too dark.
    const { layers } = await model.record(Uint8Array.of(255, 191, 128, 64, 51, 50))
    expect(Array.from(layers['layers.0']!.output!.data)).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0])
  })

  it('is what the networks of the front begin with', () => {
    const spec = latencyCoded({ hidden: [512, 256], dropout: 0.1, steps: 3, threshold: 0.2 })
    expect(spec.layers[0]).toEqual({ kind: 'latencyEncoder', threshold: 0.2 })
    expect([spec.steps, spec.parameters]).toEqual([3, 785 * 512 + 513 * 256 + 257 * 10])
  })
})

describe('measuring a network', () => {
  // Two images of three pixels. θ = 1, β = 1, current kept whole: U adds up W x, minus 1 at each spike.
  const data = datasets.fromArrays({
    inputs: Uint8Array.of(255, 0, 255, 0, 0, 255),
    shape: [2, 3],
    targets: Int32Array.of(0, 1),
  })
  const neurons = { decay: 1, threshold: 1, decayInput: false } as const
  const weights = {
    // Into neuron 0: pixel 0 with 0.5; into neuron 1: pixel 2 with 1.
    'layers.0.weight': [0.5, 0, 0, 0, 0, 1],
    'layers.0.bias': [0, 0],
    // Output 0 hears neuron 0 twice as loud as output 1 hears neuron 1.
    'layers.2.weight': [2, -1, 0, 1],
    'layers.2.bias': [0, 0],
  }

  it('counts spikes, silence and connections as done by hand', async () => {
    await using model = await Model.create(
      snn({ input: [3], steps: 4 })
        .linear(2)
        .lif(neurons)
        .linear(2)
        .lif(neurons),
    )
    setWeights(model, weights)
    const { accuracy, layers, neurons: activity, outputSpikes, samples } = await measureNetwork(model, data)
    // Image 0: neuron 0 spikes at steps 2 and 4, neuron 1 at each step. Output 0 gets -1, 1, -1, 1: never reaches 1. Output 1 gets 1
    // at each step: 4 spikes, the wrong class. Image 1: neuron 1 alone: output 1 spikes 4 times, the right one.
    expect([samples, accuracy, outputSpikes]).toEqual([2, 0.5, 4])
    expect(layers).toEqual([
      {
        connections: { name: 'layers.0', inputs: 3, outputs: 2, fanOut: [1, 0, 1] },
        activity: { kind: 'analog', times: 1, nonzero: [0.5, 0, 1] },
        neuronUpdates: 8,
      },
      {
        connections: { name: 'layers.2', inputs: 2, outputs: 2, fanOut: [1, 2] },
        activity: { kind: 'spikes', sums: [1, 4] },
        neuronUpdates: 8,
      },
    ])
    expect(activity).toEqual([
      { name: 'layers.1', kind: 'lif', neurons: 2, rate: 10 / 16, silent: 0.25, dead: 0 },
      { name: 'layers.3', kind: 'lif', neurons: 2, rate: 8 / 16, silent: 0.5, dead: 0.5 },
    ])
    // 0.5 + 1 MACs; 1 x 1 + 4 x 2 accumulates; 16 updates.
    const { macs, synOps, energy, energyWithUpdates } = countOperations(layers).everything
    expect([macs, synOps]).toEqual([1.5, 9])
    expect(energy).toBeCloseTo(1.5 * 4.6 + 9 * 0.9, 12)
    expect(energyWithUpdates).toBeCloseTo(energy + 16 * 4.6, 12)
  })

  it('counts what a ReLU lets through, and spikes of an encoder', async () => {
    const relu = snn({ input: [3], steps: 1 })
      .linear(2)
      .relu()
      .linear(2)
    await using model = await Model.create(relu)
    setWeights(model, { ...weights, 'layers.0.weight': [-0.5, 0, 0, 0, 0, 1] })
    const { layers, neurons: activity, accuracy, outputSpikes } = await measureNetwork(model, data)
    expect(layers[1]!.activity).toEqual({ kind: 'analog', times: 1, nonzero: [0, 1] })
    expect(activity).toEqual([{ name: 'layers.1', kind: 'relu', neurons: 2, rate: 0.5, silent: 0.5, dead: 0.5 }])
    expect([accuracy, outputSpikes, layers[0]!.neuronUpdates]).toEqual([0.5, undefined, 0])
    await using coded = await Model.create(
      snn({ input: [3], steps: 2 })
        .latencyEncoder({ threshold: 0.5 })
        .linear(2),
    )
    expect((await measureNetwork(coded, data)).layers[0]!.activity).toEqual({ kind: 'spikes', sums: [0.5, 0, 1] })
  })

  it('refuses what it can not count', async () => {
    await using model = await Model.create(
      snn({ input: [1, 4, 4], steps: 2 })
        .convBlock(2)
        .lif()
        .classifier(2),
    )
    await expect(measureNetwork(model, data)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' })
    await using dense = await Model.create(snn({ input: [4], steps: 1 }).linear(2))
    await expect(measureNetwork(dense, data)).rejects.toMatchObject({ code: 'ERR_SHAPE' })
    await using fitting = await Model.create(snn({ input: [3], steps: 1 }).linear(2))
    await expect(measureNetwork(fitting, data, { batchSize: 0 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(measureNetwork(fitting, data, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
  })
})

describe('pruning', () => {
  it('takes out the smallest, of equal ones the first', () => {
    const weights = [0.5, -0.1, 0.2, 0.1, -0.7, 0]
    expect(Array.from(magnitudeMask(weights, 0.5))).toEqual([1, 0, 1, 0, 1, 0])
    expect(Array.from(magnitudeMask(weights, 0.49))).toEqual([1, 0, 1, 1, 1, 0])
    expect(Array.from(magnitudeMask([1, 1, 1, 1], 0.5))).toEqual([0, 0, 1, 1])
    expect(Array.from(magnitudeMask(weights, 0))).toEqual([1, 1, 1, 1, 1, 1])
    expect(fanOuts([1, 0, 2, 0, 0, 3], 3)).toEqual([1, 0, 2])
  })

  it('goes up as s (1 − (1 − q)³)', () => {
    const at = (progress: number) => pruningProgress({ shares: [], begin: 0.25, end: 0.75 }, progress)
    expect([at(0), at(0.25), at(0.5), at(0.75), at(1)]).toEqual([0, 0, 0.875, 1, 1])
  })

  it('leaves exactly the shares at zero, whatever the optimiser wants', async () => {
    const spec = snn({ input: [10], steps: 1 })
      .linear(20)
      .relu()
      .linear(2)
    await using model = await Model.create(spec)
    using pruner = new Pruner(model, { shares: [0.8, 0.25], begin: 0, end: 0.5, every: 2 }, 20)
    const data = randomData(40, 10)
    const zeros: number[] = []
    for await (const event of model.train(data, { epochs: 4, batchSize: 8, optimizer: adam({ lr: 0.01 }) })) {
      if (event.type !== 'step') continue
      pruner.after(event.step)
      zeros.push(weightsOf(model, 'layers.0.weight').filter((value) => value === 0).length)
    }
    // Of 200: 160 (1 − (1 − q)³) at q = .2, .4, .6, .8, 1 (steps 2, 4, ... 10), rounded down.
    expect(zeros).toEqual([0, 78, 78, 125, 125, 149, 149, 158, 158, ...Array<number>(11).fill(160)])
    expect(weightsOf(model, 'layers.2.weight').filter((value) => value === 0)).toHaveLength(10)
  })

  it('refuses bad shares', async () => {
    expect(() => checkPruning({ shares: [0.5, 1] })).toThrow(/shares\[1\] must be below 1/)
    expect(() => checkPruning({ shares: [-0.1] })).toThrow(/shares\[0\] must be at least 0/)
    expect(() => checkPruning({ shares: [0.1], begin: 0.5, end: 0.5 })).toThrow(/end must be above 0.5/)
    expect(() => checkPruning({ shares: 0.5 as never })).toThrow(/shares must be an array/)
    await using model = await Model.create(snn({ input: [10], steps: 1 }).linear(2))
    expect(() => new Pruner(model, { shares: [0.5, 0.5] }, 10)).toThrow(/one for each .* layer, got 2 for 1 layers/)
  })
})

describe('training a network of the study', () => {
  const data: StudyData = { train: randomData(96, 12), test: randomData(20, 12) }
  const plan: NetworkPlan = {
    name: 'small',
    seed: 3,
    spec: snn({ input: [12], steps: 3 })
      .latencyEncoder()
      .linear(16)
      .lif({ decay: 0.5, threshold: 0.2 })
      .dropout(0.2)
      .linear(2),
    training: {
      epochs: 4,
      batchSize: 16,
      optimizer: adam({ lr: 0.02 }),
      regularizer: firingRate({ target: 0.1, weight: 0.1 }),
    },
    pruning: { shares: [0.5, 0.2], begin: 0.1, end: 0.8, every: 3 },
  }
  const run = (directory: string, options: object = {}) =>
    trainNetwork(plan, data, { directory: join(folder, directory), ...options })
  const without = <Key extends string>({ curve, path: _, ...rest }: Awaited<ReturnType<typeof run>>, __?: Key) => ({
    ...rest,
    curve: curve.map(({ seconds: ___, ...point }) => point),
  })
  const bytes = async (directory: string) => readFile(join(folder, directory, 'small-seed-3', 'network.safetensors'))

  it('goes on after an interruption to the same network, wherever it is stopped', async () => {
    const whole = without(await run('whole'))
    expect(whole.curve.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4])
    const fanOut = whole.measured.layers[0]!.connections.fanOut as number[]
    expect(fanOut.reduce((sum, count) => sum + count, 0)).toBe(96)
    for (const stopAt of [1, 8, 14, 23]) {
      const directory = `stopped-${stopAt}`
      const stop = new AbortController()
      const steps = data.train.batches
      let seen = 0
      const counting = {
        ...data.train,
        batches: (options: Parameters<typeof steps>[0]) => ({
          *[Symbol.iterator]() {
            for (const batch of steps(options)) {
              if (++seen === stopAt) stop.abort()
              yield batch
            }
          },
        }),
      }
      const stopped = trainNetwork(
        plan,
        { ...data, train: counting },
        { directory: join(folder, directory), signal: stop.signal },
      )
      await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' })
      const names = await readdir(join(folder, directory, 'small-seed-3'))
      expect(names.filter((name) => name.endsWith('.tmp') || /^(result|network)/.test(name))).toEqual([])
      expect(without(await run(directory))).toEqual(whole)
      expect(await bytes(directory)).toEqual(await bytes('whole'))
      expect((await readdir(join(folder, directory, 'small-seed-3'))).sort()).toEqual([
        'curve.json',
        'network.safetensors',
        'plan.json',
        'result.json',
      ])
    }
  })

  it('is done once; another plan begins anew', async () => {
    const first = await run('once')
    let told = 0
    expect(await run('once', { progress: () => told++ })).toEqual(first)
    expect(told).toBe(0)
    const longer = { ...plan, training: { ...plan.training, epochs: 5 } }
    const second = await trainNetwork(longer, data, { directory: join(folder, 'once') })
    expect(second.curve).toHaveLength(5)
  })

  it('refuses a plan that is not usable', async () => {
    const trained = (changed: object) => trainNetwork({ ...plan, ...changed }, data, { directory: join(folder, 'bad') })
    await expect(trained({ name: '../x' })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(trained({ seed: -1 })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(trained({ training: { epochs: -1 } })).rejects.toMatchObject({ code: 'ERR_RANGE' })
    await expect(trained({ pruning: { shares: [0.5] } })).rejects.toMatchObject({ code: 'ERR_RANGE' })
  })

  it('says when its folder can not be written', async () => {
    await writeFile(join(folder, 'a-file'), '')
    await expect(run('a-file')).rejects.toMatchObject({ code: 'ERR_REPORT_WRITE' })
  })
})

describe('the front', () => {
  it('has what no other one beats in both', () => {
    const point = (energy: number, accuracy: number) => ({ energy, accuracy })
    const points = [point(5, 0.98), point(1, 0.9), point(2, 0.9), point(4, 0.97), point(3, 0.97), point(9, 0.975)]
    expect(paretoFront(points)).toEqual([point(1, 0.9), point(3, 0.97), point(5, 0.98)])
    expect(paretoFront([])).toEqual([])
  })

  it('tells mean and spread of a sample', () => {
    expect(spreadOf([1, 2, 3, 6])).toEqual({ mean: 3, deviation: Math.sqrt(14 / 3), lowest: 1, highest: 6 })
    expect(spreadOf([4]).deviation).toBe(0)
  })
})

describe('the energy counter', () => {
  it('adds packages, and passes the end of their range', async () => {
    const root = join(folder, 'powercap')
    const set = async (name: string, energy: number, range = 1000) => {
      await mkdir(join(root, name), { recursive: true })
      await writeFile(join(root, name, 'energy_uj'), `${energy}\n`)
      await writeFile(join(root, name, 'max_energy_range_uj'), `${range}\n`)
    }
    await set('intel-rapl:0', 100)
    await set('intel-rapl:1', 990)
    await set('intel-rapl:0:0', 5) // a part of package 0, counted in it
    const counter = (await openEnergyCounter(root))!
    await set('intel-rapl:0', 130)
    await set('intel-rapl:1', 15)
    expect(await counter.microjoules()).toBe(30 + 25)
    expect(await counter.microjoules()).toBe(0)
  })

  it('is none where the machine shows none', async () => {
    expect(await openEnergyCounter(join(folder, 'nowhere'))).toBeUndefined()
  })
})

describe('timing', () => {
  it('has an entry for each network and engine', async () => {
    const path = join(folder, 'timed.safetensors')
    await using model = await Model.create(
      snn({ input: [12], steps: 2 })
        .linear(4)
        .lif()
        .linear(2),
    )
    await model.save(path)
    const times = await timeInference([{ name: 'one', path }], randomData(5, 12), { samples: 3 })
    expect(times.map(({ name, engine, samples }) => [name, engine, samples])).toEqual([
      ['one', 'auto', 3],
      ['one', 'dense', 3],
      ['one', 'event', 3],
    ])
    for (const { lower, median, upper } of times) expect(0 < lower && lower <= median && median <= upper).toBe(true)
    const wrong = timeInference([{ name: 'one', path }], randomData(5, 12), { engines: ['fast' as never] })
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_RANGE' })
    const stopped = timeInference([{ name: 'one', path }], randomData(5, 12), { signal: AbortSignal.abort() })
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })
})

it('the matched networks have 268,800 MACs', () => {
  const macs = matchedConnections.map(({ inputs, outputs }) => inputs * outputs)
  expect([...macs, macs.reduce((a, b) => a + b)]).toEqual([200_704, 65_536, 2_560, 268_800])
})

/** Samples of two classes that can be told apart: the brighter half is the class. */
function randomData(samples: number, size: number) {
  let state = 12345
  const random = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state / 2 ** 31
  }
  const targets = Int32Array.from({ length: samples }, (_, i) => i % 2)
  const inputs = Uint8Array.from({ length: samples * size }, (_, at) => {
    const bright = (at % size < size / 2 ? 0 : 1) === targets[Math.floor(at / size)]
    return Math.floor(random() * (bright ? 255 : 120))
  })
  return datasets.fromArrays({ inputs, shape: [samples, size], targets })
}

function weightsOf(model: Model, name: string): Float32Array {
  let values = new Float32Array(0)
  for (const entry of model.tensors()) {
    if (entry.name === name) values = entry.tensor.toTypedArray() as Float32Array<ArrayBuffer>
    entry.tensor.dispose()
  }
  return values
}
