/** `receiver train`: a run folder with its settings, metrics, training checkpoints and the trained network. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SpikingRxError } from '../errors.js'
import { replaceFile } from '../io/replace-file.js'
import { Model } from '../model/model.js'
import { resourceGrid } from '../receiver/grid.js'
import { type ReceiverKind, receiverNetwork } from '../receiver/network.js'
import { type ReceiverPresetName, receiverPresets } from '../receiver/presets.js'
import { trainingSlots } from '../receiver/training-slots.js'
import { native } from '../runtime/addon.js'
import type { Device } from '../runtime/device.js'
import type { EndEvent } from '../train/events.js'
import { losses } from '../train/losses.js'
import { adamW } from '../train/optimizers.js'
import { cosine } from '../train/schedules.js'
import { EXIT, type ExitCode } from './exit.js'
import { programName, quoted } from './program-name.js'
import { chooseProgress, type Progress } from './progress.js'
import type { ReceiverValues } from './receiver.js'
import { runTraining } from './training-run.js'
import { count, duration, plural } from './wording.js'

/** All that a run goes on with. */
interface ReceiverRun {
  readonly preset: ReceiverPresetName
  readonly kind: ReceiverKind
  readonly iterations: number
  readonly batchSize: number
  readonly steps: number
  readonly seed: number
  /** The same number gives the same bits. */
  readonly threads: number
}

/** Parts that a run is cut into: after each it is validated and a checkpoint written. */
const PARTS = 10

/** Slots it is validated on, always the same. */
const VALIDATION = 256

export async function trainReceiver(values: ReceiverValues): Promise<ExitCode> {
  const { preset = 'tiny', kind = 'snn' } = values
  const directory = values.out ?? join('runs', `receiver-${preset}-${kind}`)
  const run = values.resume ? await storedRun(directory) : await newRun(directory, preset, kind, values)
  const settings = receiverPresets[run.preset]
  using grid = resourceGrid(settings.grid)
  const spec = receiverNetwork(grid, { ...settings.network, kind: run.kind, steps: run.steps })
  const device = (values.device ?? 'auto') as Device
  await using model = await Model.create(spec, { device, threads: run.threads, seed: run.seed })
  using progress = await chooseProgress(values.json)
  progress.tell({ type: 'run', directory, run }, [
    `Training a ${run.kind === 'snn' ? `spiking receiver, T = ${run.steps}` : 'dense receiver'}: ${settings.title}`,
    `${count(spec.parameters)} weights, ${plural(run.iterations, 'step')} of ${plural(run.batchSize, 'slot')}; ${model.device}, ${plural(run.threads, 'thread')}. Run folder: ${directory}`,
  ])
  const end = await train(model, run, grid, directory, values.resume, progress)
  if (end.reason === 'aborted') {
    progress.tell({ type: 'interrupted', directory, step: end.step }, [
      `Stopped after step ${end.step}. To go on:  ${programName()} receiver train --resume --out ${quoted(directory)}`,
    ])
    return EXIT.interrupted
  }
  const path = join(directory, 'model.safetensors')
  await model.save(path)
  progress.tell({ type: 'result', directory, model: path, seconds: end.seconds }, [
    `Trained in ${duration(end.seconds)}. To see what it is worth:  ${programName()} receiver evaluate ${quoted(path)}`,
  ])
  return EXIT.ok
}

async function train(
  model: Model,
  run: ReceiverRun,
  grid: ReturnType<typeof resourceGrid>,
  directory: string,
  resume: boolean,
  progress: Progress,
): Promise<EndEvent> {
  const { channel, snr, training } = receiverPresets[run.preset]
  const epochs = Math.min(PARTS, run.iterations)
  const slots = Math.ceil(run.iterations / epochs) * run.batchSize
  // Validation draws from a seed that no training uses.
  const other = { slots: VALIDATION, snr, seed: Number.MAX_SAFE_INTEGER - run.seed, everyEpoch: false }
  const options = {
    epochs,
    batchSize: run.batchSize,
    maxSteps: run.iterations,
    shuffle: false,
    loss: losses.binaryCrossEntropy(),
    optimizer: adamW({ lr: training.learningRate, weightDecay: 1e-4 }),
    schedule: cosine(),
    clipNorm: 1,
    seed: run.seed,
    validation: trainingSlots(grid, channel, other),
  }
  const data = trainingSlots(grid, channel, { slots, snr, seed: run.seed })
  return (await runTraining({ model, data, options, directory, resume, progress })).end
}

async function newRun(
  directory: string,
  preset: ReceiverPresetName,
  kind: ReceiverKind,
  values: ReceiverValues,
): Promise<ReceiverRun> {
  if ((await readRun(directory)) !== undefined) {
    const message = `${directory} holds a run already: add --resume to go on with it, or name another folder with --out`
    throw new SpikingRxError(message, 'ERR_RUN_EXISTS', { directory })
  }
  const { network, training } = receiverPresets[preset]
  const run: ReceiverRun = {
    preset,
    kind,
    iterations: values.iterations ?? training.iterations,
    batchSize: values['batch-size'] ?? training.batchSize,
    steps: values.steps ?? network.steps,
    seed: values.seed ?? 1,
    threads: values.threads ?? native().threads(),
  }
  await mkdir(directory, { recursive: true })
  await replaceFile(join(directory, 'receiver.json'), (file) => file.writeFile(`${JSON.stringify(run, null, 2)}\n`))
  return run
}

async function storedRun(directory: string): Promise<ReceiverRun> {
  const run = await readRun(directory)
  if (run !== undefined) return run
  const message = `${directory} holds no run of a receiver: start one without --resume`
  throw new SpikingRxError(message, 'ERR_RUN_MISSING', { directory })
}

async function readRun(directory: string): Promise<ReceiverRun | undefined> {
  const path = join(directory, 'receiver.json')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const run = JSON.parse(text) as ReceiverRun
    const whole = [run.iterations, run.batchSize, run.steps, run.threads].every(
      (one) => Number.isSafeInteger(one) && one > 0,
    )
    if (Object.hasOwn(receiverPresets, run.preset) && whole && Number.isSafeInteger(run.seed)) return run
  } catch {
    // told below
  }
  throw new SpikingRxError(`${path} is not the settings of a run: it is damaged`, 'ERR_RUN_CONFIG', { path })
}
