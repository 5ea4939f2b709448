import { join } from 'node:path'
import { lif } from '../nn/index.js'
import { membraneTraces } from '../plot/membrane-traces.js'
import { savePlot } from '../plot/render.js'
import { add, manualSeed, mul, randn, scope } from '../tensor/index.js'
import { type DemoOptions, type DemoResult, demoSeed, numbers, shapeText } from './demo.js'

const steps = 20
const decay = 0.9
const threshold = 0.5

/**
 * One LIF neuron over 20 steps of a noisy constant current: integrate, fire, reset.
 *
 *     I[t] = 1 + 0.1 n[t], n standard normal; β = 0.9, θ = 0.5
 *
 * Without noise it fires at t = 7 and 14; with noise 2 or 3 times, by seed. The picture `lif` shows input, membrane, threshold and firing
 * events.
 *
 * @throws ArgumentError `ERR_RANGE` for a seed that is not a whole number from 0 on
 */
export async function demoLif(options: DemoOptions): Promise<DemoResult> {
  const seed = demoSeed(options)
  const run = scope(() => {
    manualSeed(seed)
    const current = add(1, mul(0.1, randn([1, steps, 1])))
    const result = lif(current, { decay, threshold, trace: true, traceAfterReset: true })
    return {
      shape: result.spikes.shape,
      input: numbers(current),
      spikes: numbers(result.spikes),
      membrane: numbers(result.trace!),
      afterReset: numbers(result.traceAfterReset!),
    }
  })
  const fired = Array.from(run.spikes, (spike, i) => (spike > 0 ? i + 1 : 0)).filter((step) => step > 0)
  const setting = `β ${decay}, θ ${threshold}, I = 1 + 0.1 n, seed ${seed}`
  const picture = membraneTraces([{ neuron: setting, threshold, ...run }], {
    title: 'LIF: integrate, fire, reset',
    subtitle: `${fired.length} spikes in ${steps} steps`,
  })
  return {
    lines: [
      `LIF neuron: ${setting}`,
      `Input and output: ${shapeText(run.shape)} = [batch, time steps, features]`,
      `Spikes over time: ${run.spikes.join(' ')}`,
      `Total spikes: ${fired.length}${fired.length > 0 ? `, at t = ${fired.join(', ')}` : ''}`,
    ],
    pictures: await savePlot(join(options.directory, 'lif'), picture, ['svg', 'png']),
  }
}
