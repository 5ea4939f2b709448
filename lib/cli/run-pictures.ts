/** The pictures of a run, out of the trained network, one test image and the log. */
import { join } from 'node:path'
import type { ArrayDataset, Sample } from '../data/index.js'
import { replaceFile } from '../io/replace-file.js'
import type { Model } from '../model/model.js'
import type { LayerRecording, RecordedArray, Recording } from '../model/record.js'
import type { NetworkSpec } from '../model/spec.js'
import type { FeatureMaps, FilterBank, LayerSpikes, LearningHistory, NeuronTrace, RunPictures } from '../plot/index.js'
import { writeRunPictures } from '../plot/report.js'
import type { Evaluation } from '../train/evaluate.js'
import { layerTitle } from './layer-titles.js'
import type { Metric } from './metrics-log.js'

export interface PictureSources {
  readonly model: Model
  readonly test: ArrayDataset
  readonly evaluation: Evaluation
  readonly metrics: readonly Metric[]
  /** Batches an epoch. */
  readonly batches: number
  /** For titles: "mnist-sew". */
  readonly name: string
}

export interface DrawnPictures {
  readonly pictures: readonly string[]
  /** The test image that they show, as a plain PNG. */
  readonly sample: string
}

/** Draws everything into `directory`; see {@link writeRunPictures} for the names. */
export async function drawRun(directory: string, sources: PictureSources): Promise<DrawnPictures> {
  const { model, test, evaluation, metrics, batches, name } = sources
  const { spec } = model
  const image = test.sample(0)
  const recording = await model.record(image.input)
  const { labels = [] } = await model.predict(image.input)
  const truth = test.classes?.[Number(image.target)] ?? String(image.target)
  const shown = `${name}: test image 0 is "${truth}", the network says "${labels[0] ?? '?'}"`
  const filters = firstFilters(model, name)
  const featureMaps = firstFeatureMaps(spec, recording, shown)
  const layers = Object.keys(evaluation.firingRates)
  const run: RunPictures = {
    history: learningHistory(metrics, batches, spec, name),
    raster: { layers: layers.map((layer) => layerSpikes(spec, recording, layer)), options: { subtitle: shown } },
    traces: { neurons: traces(spec, recording, layers), options: { subtitle: shown } },
    ...(filters ? { filters } : {}),
    ...(featureMaps ? { featureMaps } : {}),
    confusion: {
      classes: test.classes ?? [],
      counts: evaluation.confusion.flat(),
      subtitle: `${name} on the test images`,
    },
    rates: {
      layers: Object.entries(evaluation.firingRates).map(([layer, rate]) => ({ layer: layerTitle(spec, layer), rate })),
      options: { subtitle: `${name}, mean over the test images` },
    },
    input: { ...imageSize(image), values: image.input, title: 'Input', subtitle: shown },
  }
  const pictures = await writeRunPictures(directory, run)
  return { pictures, sample: await writeSample(join(directory, 'sample.png'), image) }
}

function learningHistory(
  metrics: readonly Metric[],
  batches: number,
  spec: NetworkSpec,
  name: string,
): LearningHistory {
  const steps = metrics.flatMap((metric) => (metric.type === 'step' ? [metric] : []))
  const epochs = metrics.flatMap((metric) => (metric.type === 'epoch' ? [metric] : []))
  const rates = (firingRates: Readonly<Record<string, number>>): number[] => Object.values(firingRates)
  return {
    title: `Learning curves: ${name} (validation: the test images)`,
    train: epochs.map(({ epoch, loss, accuracy, firingRates }) => ({
      at: epoch,
      loss,
      accuracy,
      firingRates: rates(firingRates),
    })),
    validation: epochs.flatMap(({ epoch, validation }) =>
      validation
        ? [
            {
              at: epoch,
              loss: validation.loss,
              accuracy: validation.accuracy,
              firingRates: rates(validation.firingRates),
            },
          ]
        : [],
    ),
    batches: steps.map(({ step, loss, accuracy }) => ({ at: step / batches, loss, accuracy })),
    layers: Object.keys(epochs[0]?.firingRates ?? {}).map((layer) => layerTitle(spec, layer)),
  }
}

/** What a spiking layer recorded for the one sample: `[T, neurons]`. */
interface SpikingTrace {
  readonly steps: number
  readonly neurons: number
  readonly spikes: Float32Array
  readonly membrane: Float32Array
  /** Of one step: `[C, H, W]` or `[D]`. */
  readonly shape: readonly number[]
}

function spikingTrace(recording: Recording, layer: string): SpikingTrace {
  const { spikes, membrane } = (recording.layers[layer] ?? {}) as Required<LayerRecording>
  const [, steps = 1, ...shape] = spikes.shape
  return { steps, neurons: spikes.data.length / steps, spikes: spikes.data, membrane: membrane.data, shape }
}

function layerSpikes(spec: NetworkSpec, recording: Recording, layer: string): LayerSpikes {
  const { steps, neurons, spikes } = spikingTrace(recording, layer)
  return { layer: layerTitle(spec, layer), steps, neurons, spikes }
}

/** Three neurons of the first and three of the last spiking layer. */
function traces(spec: NetworkSpec, recording: Recording, layers: readonly string[]): NeuronTrace[] {
  const ends = [...new Set([layers[0], layers.at(-1)])].filter((layer) => layer !== undefined)
  return ends.flatMap((layer) => {
    const trace = spikingTrace(recording, layer)
    return tellingNeurons(trace).map((neuron) => neuronTrace(spec, layer, trace, neuron))
  })
}

/** The most active neuron, one in the middle of those that fired, and of the silent ones that nearest to its threshold. */
function tellingNeurons({ steps, neurons, spikes, membrane }: SpikingTrace): number[] {
  const activity = Array.from({ length: neurons }, (_, neuron) => {
    let fired = 0
    let peak = Number.NEGATIVE_INFINITY
    for (let step = 0; step < steps; step++) {
      fired += spikes[step * neurons + neuron]!
      peak = Math.max(peak, membrane[step * neurons + neuron]!)
    }
    return { neuron, fired, peak }
  })
  const active = activity.filter(({ fired }) => fired > 0).sort((a, b) => b.fired - a.fired || b.peak - a.peak)
  const silent = activity.filter(({ fired }) => fired === 0).sort((a, b) => b.peak - a.peak)
  const chosen = [active[0], active[active.length >> 1], silent[0]].flatMap((one) => (one ? [one.neuron] : []))
  return [...new Set(chosen)]
}

function neuronTrace(spec: NetworkSpec, layer: string, trace: SpikingTrace, neuron: number): NeuronTrace {
  const column = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: trace.steps }, (_, step) => values[step * trace.neurons + neuron]!)
  const settings = spec.layers[Number(layer.split('.')[1])]
  const {
    threshold = 1,
    reset = 'none',
    resetDelay = false,
  } = (settings ?? {}) as {
    threshold?: number
    reset?: string
    resetDelay?: boolean
  }
  const [membrane, spikes] = [column(trace.membrane), column(trace.spikes)]
  return {
    neuron: `${layerTitle(spec, layer)}, ${place(trace.shape, neuron)}`,
    membrane,
    spikes,
    threshold,
    // U ← U − θ S, as the layer does it.
    ...(reset === 'subtract' && !resetDelay
      ? { afterReset: membrane.map((value, step) => value - threshold * spikes[step]!) }
      : {}),
  }
}

/** "neuron 12" or "map 3, row 10, column 14". */
function place(shape: readonly number[], neuron: number): string {
  const [, height, width] = shape
  if (height === undefined || width === undefined) return `neuron ${neuron}`
  const inMap = neuron % (height * width)
  return `map ${Math.floor(neuron / (height * width))}, row ${Math.floor(inMap / width)}, column ${inMap % width}`
}

/** Weights of the first layer that sees the image: kernels, or one image a neuron. */
function firstFilters(model: Model, name: string): FilterBank | undefined {
  const weights = model.tensors().find((tensor) => tensor.name.endsWith('.weight'))?.tensor
  if (weights === undefined) return undefined
  const [filters = 0, ...kernel] = weights.shape
  const [channels, height, width] = kernel.length === 3 ? kernel : model.spec.input
  if (channels === undefined || height === undefined || width === undefined) return undefined
  const values = Float32Array.from(weights.toTypedArray() as ArrayLike<number>)
  if (values.length !== filters * channels * height * width) return undefined
  return { weights: values, filters, channels, height, width, subtitle: name }
}

/** Firing rates of the first spiking layer, where it has maps. */
function firstFeatureMaps(spec: NetworkSpec, recording: Recording, subtitle: string): FeatureMaps | undefined {
  const found = Object.entries(recording.layers).find(([, { spikes }]) => spikes?.shape.length === 5)
  if (found?.[1].spikes === undefined) return undefined
  const [, , channels = 0, height = 0, width = 0] = found[1].spikes.shape
  return {
    values: meanOverTime(found[1].spikes),
    channels,
    height,
    width,
    quantity: 'firing rate (spikes / step)',
    title: `Feature maps of ${layerTitle(spec, found[0])}`,
    subtitle,
  }
}

/** `[1, T, ...]` to `[...]`. */
function meanOverTime({ data, shape }: RecordedArray): Float32Array {
  const steps = shape[1] ?? 1
  const size = data.length / steps
  return Float32Array.from({ length: size }, (_, i) => {
    let sum = 0
    for (let step = 0; step < steps; step++) sum += data[step * size + i]!
    return sum / steps
  })
}

function imageSize({ shape }: Sample): { channels: number; height: number; width: number } {
  const [channels = 1, height = 1, width = 1] = shape
  return { channels, height, width }
}

/** The image itself, to be given to `spikingrx predict`. */
async function writeSample(path: string, { shape, input }: Sample): Promise<string> {
  const { encode } = await import('fast-png')
  const [, height = 1, width = 1] = shape
  const bytes = encode({
    width,
    height,
    channels: 1,
    depth: 8,
    data: Uint8Array.from(input.subarray(0, width * height)),
  })
  await replaceFile(path, (file) => file.writeFile(bytes))
  return path
}
