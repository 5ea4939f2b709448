import { join } from 'node:path'
import type { Connect } from '../model/layers.js'
import { Network } from '../model/network.js'
import { snn } from '../model/spec.js'
import { featureMapGrid } from '../plot/feature-maps.js'
import { lineChart } from '../plot/line-chart.js'
import { savePlot } from '../plot/render.js'
import { spikeRaster } from '../plot/spike-raster.js'
import { bernoulli, full, manualSeed, mean, scope, Tensor, tensor } from '../tensor/index.js'
import { type DemoOptions, type DemoResult, demoSeed, numbers, shapeText } from './demo.js'

const [steps, channels, size] = [8, 8, 16]
const inputRate = 0.2
const neuron = { decay: 0.5, threshold: 0.5 }
const connects: readonly Connect[] = ['add', 'and', 'iand', 'mean']

/**
 * A SEW block on random spikes: 8 channels of 16 x 16 over 8 steps, two stages of Conv -> SpikeNorm -> LIF, identity shortcut.
 *
 * With `add` both paths may spike at once, so that its output reaches 2 and is no longer binary: activity is told by mean values, and the
 * share above 1 beside it. The pictures `sew-rates`, `sew-maps` and `sew-raster` show activity by step, place and neuron.
 *
 * @throws ArgumentError `ERR_RANGE` for a seed that is not a whole number from 0 on
 */
export async function demoSew(options: DemoOptions): Promise<DemoResult> {
  const seed = demoSeed(options)
  const runs: BlockRun[] = []
  for (const connect of connects) runs.push(await runBlock(connect, seed))
  const [added] = runs as [BlockRun, ...BlockRun[]]
  const stages = [added.input, ...added.stages, added.output]
  const inDirectory = (name: string): string => join(options.directory, name)
  return {
    lines: [
      `SEW block: ${channels} channels of ${size} x ${size}, ${steps} steps, connect add, β ${neuron.decay}, θ ${neuron.threshold}, seed ${seed}`,
      ...stages.map(
        ({ name, shape, values }) =>
          `${`${name}:`.padEnd(16)}${shapeText(shape)}, mean value ${rate(values).toFixed(4)}`,
      ),
      `Values above 1 with add: ${(100 * share(added.output.values)).toFixed(2)} % (both paths spike)`,
      'Connect   mean value   largest   share above 1',
      ...runs.map(({ connect, output: { values } }) => {
        const cells = [rate(values).toFixed(4), String(Math.max(...values)), `${(100 * share(values)).toFixed(2)} %`]
        return `${connect.padEnd(7)}${cells[0]!.padStart(13)}${cells[1]!.padStart(10)}${cells[2]!.padStart(16)}`
      }),
    ],
    pictures: [
      ...(await savePlot(inDirectory('sew-rates'), ratesByStep(stages), ['svg', 'png'])),
      ...(await savePlot(inDirectory('sew-maps'), meanMaps(added.output), ['svg', 'png'])),
      ...(await savePlot(inDirectory('sew-raster'), raster(stages), ['svg', 'png'])),
    ],
  }
}

/** `[1, T, C, H, W]` as one array. */
interface Activity {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

interface BlockRun {
  readonly connect: Connect
  readonly input: Activity
  readonly stages: readonly Activity[]
  readonly output: Activity
}

/** The same seed draws the same weights and the same input spikes for every connect function. */
async function runBlock(connect: Connect, seed: number): Promise<BlockRun> {
  const spec = snn({ input: [channels, size, size], steps }).sewBlock(channels, { connect, ...neuron })
  const network = await Network.create(spec, { seed, device: 'cpu', dtype: 'float32' })
  try {
    return await scope(async () => {
      manualSeed(seed)
      const input = bernoulli(full([1, steps, channels, size, size], inputRate))
      // Training mode: SpikeNorm has seen no data yet, so it takes the statistics of this sample.
      const result = await network.forward(input.handle, { record: true, training: true })
      const named = result.records.map(({ layer, quantity, handle }) => ({
        layer,
        quantity,
        value: new Tensor(handle),
      }))
      const stages = named
        .filter(({ layer, quantity }) => quantity === 'spikes' && layer.includes('.stages.'))
        .map(({ value }, k) => activity(`stage ${k + 1} spikes`, value))
      return {
        connect,
        input: activity('input spikes', input),
        stages,
        output: activity('output', new Tensor(result.output)),
      }
    })
  } finally {
    network.dispose()
  }
}

function activity(name: string, tensor: Tensor): Activity {
  return { name, shape: tensor.shape, values: numbers(tensor) }
}

function rate(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function share(values: Float32Array): number {
  return values.reduce((count, value) => (value > 1 ? count + 1 : count), 0) / values.length
}

function ratesByStep(stages: readonly Activity[]) {
  const frame = channels * size * size
  const time = Array.from({ length: steps }, (_, t) => t + 1)
  return lineChart({
    series: stages.map(({ name, values }) => ({
      name,
      x: time,
      y: time.map((t) => rate(values.subarray((t - 1) * frame, t * frame))),
    })),
    xTitle: 'time step',
    xWhole: true,
    yFromZero: true,
    yTitle: 'mean value per neuron',
    title: 'SEW block: activity by step',
    subtitle: 'output = stage 2 + input (connect add)',
  })
}

function meanMaps(output: Activity) {
  return featureMapGrid({
    values: scope(() => numbers(mean(tensor(output.values, { shape: output.shape }), { dim: [0, 1] }))),
    channels,
    height: size,
    width: size,
    quantity: 'mean value / step',
    title: 'SEW block: output by place',
    subtitle: `mean over ${steps} steps`,
  })
}

function raster(stages: readonly Activity[]) {
  const layers = stages.map(({ name, values }) => ({
    layer: name,
    steps,
    neurons: channels * size * size,
    spikes: values,
  }))
  return spikeRaster(layers, { title: 'SEW block: spikes by neuron' })
}
