import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { NativeNetworkSpec, NativeTrainerSpec } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'

const lif = {
  kind: 'lif',
  ...{ decay: 0.9, threshold: 0.5, decayInput: true, reset: 'subtract', resetDelay: false, detachReset: false },
  ...{ surrogate: 'triangular', surrogateParameter: 1, learnable: [], perChannel: false },
}
const spec: NativeNetworkSpec = {
  input: [12],
  steps: 10,
  layers: [{ kind: 'linear', features: 400, bias: true }, lif, { kind: 'linear', features: 3, bias: true }],
}
const loss = { kind: 'crossEntropy', reduce: 'mean', labelSmoothing: 0 }
const training: NativeTrainerSpec = {
  loss,
  optimizer: { kind: 'adamW', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  schedule: { kind: 'constant', warmupSteps: 0, warmupFactor: 0 },
  rateRegularizer: { kind: 'none' },
  clipNorm: 0,
  totalSteps: 10,
  measureRates: true,
}
const inputs = (batch: number) =>
  native().tensorFrom(
    Float32Array.from({ length: batch * 12 }, (_, i) => (i % 7) / 3),
    [batch, 12],
    'float32',
  )
const targets = (batch: number) =>
  native().tensorFrom(
    BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 3)),
    [batch],
    'int64',
  )
const codeOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'none'
}
/** Frees what networkTensors and trainerState hand out. */
const names = (list: readonly { name: string; handle: number }[]): string[] =>
  list.map(({ name, handle }) => {
    native().tensorFree(handle)
    return name
  })

describe('networks through the addon', () => {
  it('give every handle back', async () => {
    const start = native().memory()
    const network = native().networkCreate(spec, 1, 'cpu', 'float32')
    const trainer = native().trainerCreate(network, training)
    const [x, y] = [inputs(4), targets(4)]
    await native().trainerStepAsync(trainer, x, y)
    const report = await native().networkEvaluateAsync(network, x, y, loss, true)
    expect([report.samples, report.firingRates.length]).toEqual([4, 1])
    expect(names(native().networkTensors(network))).toEqual([
      'layers.0.weight',
      'layers.0.bias',
      'layers.2.weight',
      'layers.2.bias',
    ])
    expect(names(native().trainerState(trainer)).length).toBeGreaterThan(8)
    for (const handle of [x, y, report.predictions]) native().tensorFree(handle)
    native().trainerFree(trainer)
    native().networkFree(network)
    expect(native().memory()).toEqual(start)
    expect(codeOf(() => native().networkTensors(network))).toBe('ERR_DISPOSED')
    expect(codeOf(() => native().trainerState(trainer))).toBe('ERR_DISPOSED')
  })

  it('are made the same on either thread, and carry state on', async () => {
    const here = native().networkCreate(spec, 7, 'cpu', 'float32')
    const there = await native().networkCreateAsync(spec, 7, 'cpu', 'float32')
    const x = inputs(2)
    const first = native().networkForward(here, x, { carryState: true, record: true, measureRates: true }, [])
    const second = await native().networkForwardAsync(there, x, { carryState: true }, [])
    expect(native().tensorData(second.output)).toEqual(native().tensorData(first.output))
    expect([first.state.length, first.rates.length, second.rates.length, second.records.length]).toEqual([2, 1, 0, 0])
    expect(first.records.map(({ layer, quantity }) => `${layer} ${quantity}`)).toContain('layers.1 spikes')
    const on = native().networkForward(here, x, { carryState: true }, first.state)
    expect([...native().tensorData(on.state.at(-1)!)]).toEqual([20n])
  })

  it('follow the gradient mode here, and never record on the executor', async () => {
    const network = native().networkCreate(spec, 1, 'cpu', 'float32')
    const x = inputs(2)
    const requiresGrad = ({ output }: { output: number }) => native().tensorInfo(output).requiresGrad
    expect(requiresGrad(native().networkForward(network, x, {}, []))).toBe(true)
    native().setGradEnabled(false)
    expect(requiresGrad(native().networkForward(network, x, {}, []))).toBe(false)
    native().setGradEnabled(true)
    expect(requiresGrad(await native().networkForwardAsync(network, x, {}, []))).toBe(false)
  })

  it('refuse synchronous use while a step runs, and stay alive for it when freed', async () => {
    const network = native().networkCreate(spec, 1, 'cpu', 'float32')
    const trainer = native().trainerCreate(network, training)
    const [x, y] = [inputs(512), targets(512)]
    const steps = Array.from({ length: 20 }, () => native().trainerStepAsync(trainer, x, y))
    let running = true
    const done = Promise.all(steps).finally(() => {
      running = false
    })
    const codes = new Set<string>()
    while (running && !codes.has('ERR_BUSY')) {
      codes.add(codeOf(() => native().networkRandomState(network)))
      await sleep(1)
    }
    expect(codes).toContain('ERR_BUSY')
    native().trainerFree(trainer)
    native().networkFree(network)
    const reports = await done
    expect(reports.map((report) => report[4])).toEqual(new Array(20).fill(512))
    expect(reports.at(-1)![0]).toBeLessThan(reports[0]![0]!)
  })

  it('load tensors by name, all or none', () => {
    const network = native().networkCreate(spec, 1, 'cpu', 'float32')
    const bias = () => {
      const list = native().networkTensors(network)
      return Array.from(native().tensorData(list.find(({ name }) => name === 'layers.2.bias')!.handle), Number)
    }
    const all = native().networkTensors(network)
    const three = native().tensorFrom(Float32Array.of(1, 2, 3), [3], 'float32')
    const handles = all.map(({ name, handle }) => (name === 'layers.2.bias' ? three : handle))
    native().networkLoad(
      network,
      all.map(({ name }) => name),
      handles,
    )
    expect(bias()).toEqual([1, 2, 3])
    expect(codeOf(() => native().networkLoad(network, ['layers.2.bias'], []))).toBe('ERR_SHAPE')
    expect(codeOf(() => native().networkLoad(network, ['nothing'], [three]))).toMatch(/^ERR_/)
    expect(bias()).toEqual([1, 2, 3])
  })

  it.each([
    ['ERR_TYPE', 'a spec that is none', null, 1, 'cpu', 'float32'],
    ['ERR_TYPE', 'layers that are no list', { ...spec, layers: {} }, 1, 'cpu', 'float32'],
    ['ERR_TYPE', 'a layer without kind', { ...spec, layers: [{}] }, 1, 'cpu', 'float32'],
    [
      'ERR_TYPE',
      'an option that is an object',
      { ...spec, layers: [{ kind: 'flatten', extra: {} }] },
      1,
      'cpu',
      'float32',
    ],
    ['ERR_RANGE', 'a negative seed', spec, -1, 'cpu', 'float32'],
    ['ERR_RANGE', 'half a step', { ...spec, steps: 0.5 }, 1, 'cpu', 'float32'],
    ['ERR_DEVICE', 'a device that is not there', spec, 1, 'cuda:99', 'float32'],
    ['ERR_TYPE', 'a dtype that is none', spec, 1, 'cpu', 'float31'],
  ])('%s for %s', (code, _, ...args) => {
    expect(codeOf(() => (native().networkCreate as (...args: unknown[]) => unknown)(...args))).toBe(code)
  })

  it('optimise tensors of one’s own', () => {
    const weight = native().tensorFrom(Float32Array.of(1, -2), [2], 'float32')
    native().tensorSetRequiresGrad(weight, true)
    const sgd = { kind: 'sgd', learningRate: 0.5, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false }
    const optimizer = native().optimizerCreate(sgd, [weight])
    const product = native().callOperator('aten::mul.Tensor', [{ handle: weight }, { handle: weight }], {})
    const sum = native().callOperator('aten::sum', [product], {}) as { handle: number }
    native().tensorBackward(sum.handle, 0, false)
    expect(native().clipGradientNorm([weight], 0)).toBeCloseTo(Math.sqrt(20), 5)
    native().optimizerStep(optimizer, 0.25)
    expect([...native().tensorData(weight)]).toEqual([0.5, -1])
    native().optimizerStep(optimizer, -1) // the rate of the spec
    expect([...native().tensorData(weight)]).toEqual([-0.5, 1])
    expect(codeOf(() => native().optimizerStep(optimizer, Number.NaN))).toBe('ERR_RANGE')
    native().optimizerZeroGrad(optimizer)
    native().optimizerFree(optimizer)
    expect(codeOf(() => native().optimizerStep(optimizer, 1))).toBe('ERR_DISPOSED')
  })
})
