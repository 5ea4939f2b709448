// A training run that survives being killed: the program starts itself, kills it in the middle, and starts it again.
// The resumed run ends with exactly the weights of one that was never touched.
//
// Run: npx tsx examples/resume.ts
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adamW, datasets, Model, snn } from 'spikingrx'

const images = 1280

/** The training itself: nothing in it knows whether it is the first or the second try. */
async function train(directory: string): Promise<void> {
  const { train: digits } = await datasets.mnist()
  const spec = snn({ input: [1, 28, 28], steps: 4 })
    .flatten()
    .linear(128)
    .lif({ threshold: 0.3 })
    .dropout()
    .classifier(10)
  await using model = await Model.create(spec, { seed: 7, device: 'cpu', threads: 1 })
  const run = model.train(digits.take(images), {
    epochs: 3,
    batchSize: 64,
    optimizer: adamW(),
    checkpoint: { directory, everySteps: 5 },
    resume: true,
  })
  for await (const event of run) {
    if (event.type === 'resume') console.log(`  goes on after step ${event.step}`)
    if (event.type === 'step') process.send?.(event.step)
    if (event.type === 'epoch') console.log(`  epoch ${event.epoch}: loss ${event.loss.toFixed(4)}`)
  }
  const hash = createHash('sha256')
  for (const { tensor } of model.tensors()) hash.update(tensor.toTypedArray())
  console.log(`  weights ${hash.digest('hex').slice(0, 16)}`)
}

/** The training in a process of its own, killed after `killAfter` steps where that is given. */
async function start(directory: string, killAfter?: number): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), directory], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.on('message', (step) => {
    if (step === killAfter) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('exit', resolve))
}

const [directory] = process.argv.slice(2)
if (directory !== undefined) {
  await train(directory)
} else {
  const folder = await mkdtemp(join(tmpdir(), 'spikingrx-resume-'))
  console.log('without interruption:')
  await start(join(folder, 'straight'))
  console.log('killed after step 33:')
  await start(join(folder, 'killed'), 33)
  console.log('started again:')
  await start(join(folder, 'killed'))
  await rm(folder, { recursive: true })
}
