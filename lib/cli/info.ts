import { stat } from 'node:fs/promises'
import { type Checkpoint, readCheckpoint } from '../io/checkpoint.js'
import { summaryTable } from '../model/table.js'
import { defineCommand, print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { json } from './options.js'
import { bytes, count, plural } from './wording.js'

export const command = defineCommand({
  name: 'info',
  about: 'Shows what a checkpoint holds, after checking all of it. Computes nothing and needs no libtorch.',
  positionals: [{ name: 'checkpoint', help: 'model.safetensors of a run, or one of its training checkpoints' }],
  options: { json },
  examples: ['spikingrx info runs/mnist-sew-20261122-101500/model.safetensors'],
  run: ({ positionals: [path = ''], values }) => info(path, values.json),
})

async function info(path: string, asJson: boolean): Promise<ExitCode> {
  const checkpoint = await readCheckpoint(path)
  const { size } = await stat(path)
  const { spec, dtype, seed, verified } = checkpoint
  const scales = [...checkpoint.scales].map(([weight, scale]) => [`${weight}.scale`, scale] as const)
  const tensors = [...checkpoint.tensors, ...scales].map(([name, tensor]) => ({
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    bytes: tensor.data.byteLength,
  }))
  const training = trainingPosition(checkpoint)
  if (asJson) {
    print(
      JSON.stringify({
        path,
        bytes: size,
        spec,
        parameters: spec.parameters,
        dtype,
        seed,
        verified,
        training,
        tensors,
      }),
    )
    return EXIT.ok
  }
  const weights = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
  const coded = scales.length === 0 ? '' : `, ${plural(scales.length, 'weight')} as 8-bit codes`
  print(
    [
      `${path}: ${bytes(size)}, ${verified ? 'checksum right' : 'without a checksum'}`,
      `network    ${spec.name ?? 'without a name'}, ${dtype}, seed ${seed}`,
      `classes    ${spec.labels?.join(', ') ?? 'not named'}`,
      `weights    ${count(spec.parameters)} trained values, ${tensors.length} tensors, ${bytes(weights)}${coded}`,
      ...(training === null
        ? []
        : [
            `training   ${training.step} steps done, in epoch ${training.epoch + 1}; optimiser state ${bytes(training.bytes)}`,
          ]),
      '',
      summaryTable(spec),
      '',
      ...tensorRows(tensors),
    ].join('\n'),
  )
  return EXIT.ok
}

interface TrainingPosition {
  /** Epochs done. */
  readonly epoch: number
  readonly step: number
  /** Of optimiser and random state. */
  readonly bytes: number
}

/** Where a training checkpoint stands; null for a model. */
function trainingPosition({ training, trainer }: Checkpoint): TrainingPosition | null {
  if (training === undefined) return null
  const position = JSON.parse(training) as { readonly epoch: number; readonly step: number }
  const size = [...trainer.values()].reduce((sum, { data }) => sum + data.byteLength, 0)
  return { epoch: position.epoch, step: position.step, bytes: size }
}

function tensorRows(
  tensors: readonly { name: string; dtype: string; shape: readonly number[]; bytes: number }[],
): string[] {
  const width = Math.max(...tensors.map(({ name }) => name.length))
  return tensors.map(
    ({ name, dtype, shape, bytes: size }) => `${name.padEnd(width)}  ${dtype}  [${shape.join(', ')}]  ${bytes(size)}`,
  )
}
