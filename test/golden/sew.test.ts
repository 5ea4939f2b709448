import { describe, it } from 'vitest'
import type { NativeSpec } from '../../lib/native.js'
import { native } from '../../lib/runtime/addon.js'
import { Tensor, tensorOp } from '../../lib/tensor/index.js'
import { loadTensors, networkTensors, withNetwork } from './network-tensors.js'
import { expectClose, expectEqual, type GoldenCase, gradientOf, readFamily, tolerance, toTensor } from './vectors.js'

interface FunctionCase {
  readonly connect: string
  readonly dtype: 'float32' | 'float64'
}

interface BlockCase extends NativeSpec {
  readonly kind: 'sewBlock'
  readonly channelsIn: number
  readonly size: readonly number[]
  readonly steps: number
}

const cases = await readFamily<FunctionCase | BlockCase>('sew')
const functions = cases.filter(({ name }) => name.startsWith('function')) as GoldenCase<FunctionCase>[]
const blocks = cases.filter(({ name }) => name.startsWith('block')) as GoldenCase<BlockCase>[]

describe("spikingrx::sew_connect gives the values and gradients of SpikingJelly's sew_function", () => {
  it.each(functions)('$name', ({ options: { connect, dtype }, values }) => {
    const [main, shortcut] = ['main', 'shortcut'].map((name) => toTensor(values(name), dtype, true))
    const output = tensorOp('spikingrx::sew_connect', [main!, shortcut!, connect])
    output.backward({ gradient: toTensor(values('weights'), dtype) })

    expectEqual(output, values('output'), 'output')
    expectClose(gradientOf(main!), values('mainGradient'), tolerance[dtype], 'gradient of the main path')
    expectClose(gradientOf(shortcut!), values('shortcutGradient'), tolerance[dtype], 'gradient of the shortcut')
  })
})

describe("the sewBlock layer is SpikingJelly's BasicBlock", () => {
  it.each(blocks)('$name', async ({ options, values, names }) => {
    const { channelsIn, size, dtype: _, ...layer } = options
    const block = {
      ...layer,
      kind: 'sewBlock',
      activation: 'lif',
      resetDelay: false,
      learnable: [],
      perChannel: false,
    } as const
    const spec = { input: [channelsIn, ...size], steps: options.steps, layers: [block] }
    // Gradients pass two convolutions, two norms and two neurons: the float64 tolerance, ten times.
    const tolerated = 10 * tolerance.float64

    await withNetwork(spec, (network) => {
      loadTensors(network, (name) => values(`initial.${name.replace('layers.0.', '')}`), names('initial.'), 'layers.0.')
      const input = toTensor(values('input'), 'float64', true)
      const output = new Tensor(native().networkForward(network, input.handle, { training: true }, []).output)
      output.backward({ gradient: toTensor(values('weights')) })
      const tensors = networkTensors(network)

      expectEqual(output, values('output'), 'output')
      expectClose(gradientOf(input), values('inputGradient'), tolerated, 'gradient of the input')
      for (const name of names('gradient.')) {
        expectClose(
          gradientOf(tensors.get(`layers.0.${name}`)!),
          values(`gradient.${name}`),
          tolerated,
          `gradient of ${name}`,
        )
      }
      for (const name of names('after.')) {
        expectClose(tensors.get(`layers.0.${name}`)!, values(`after.${name}`), tolerance.float64, name)
      }
      const evaluated = native().networkForward(network, input.handle, { training: false }, []).output
      expectEqual(new Tensor(evaluated), values('evaluated'), 'output in evaluation')
    })
  })
})
