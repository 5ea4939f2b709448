import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Model } from '../../lib/model/model.js'
import type { TrainOptions } from '../../lib/train/options.js'
import { collect, ofType, stripeNetwork, stripes } from './train-data.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-checkpoints-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function train(options: TrainOptions) {
  using model = await Model.create(stripeNetwork(), { seed: 1, device: 'cpu' })
  return await collect(model.train(stripes(50), { batchSize: 10, ...options }))
}

describe('the directory of checkpoints', () => {
  it('belongs to the run begun last, though an older run got further', async () => {
    await train({ epochs: 3, checkpoint: { directory: folder } })
    const events = await train({ epochs: 1, checkpoint: { directory: folder } })
    for (const { path } of ofType(events, 'checkpoint')) expect((await stat(path)).isFile()).toBe(true)
    expect(await readdir(folder)).toEqual(['checkpoint-00000005.safetensors'])

    const resumed = await train({ epochs: 1, checkpoint: { directory: folder }, resume: true })
    expect(ofType(resumed, 'resume')).toMatchObject([{ step: 5 }])
  })

  it('loses no good checkpoint to a damaged newer one', async () => {
    const checkpoint = { directory: folder, keep: 1 }
    await train({ epochs: 1, checkpoint })
    await writeFile(join(folder, 'checkpoint-00000999.safetensors'), 'damaged')
    await train({ epochs: 2, checkpoint, resume: true })
    expect(await readdir(folder)).toEqual(['checkpoint-00000010.safetensors'])
  })

  it('may hold folders, which are none of its business', async () => {
    await mkdir(join(folder, 'checkpoint-00000999.safetensors'))
    const events = await train({ epochs: 1, checkpoint: { directory: folder, keep: 1 }, resume: true })
    expect(ofType(events, 'end')).toMatchObject([{ reason: 'done' }])
    expect(await readdir(folder)).toContain('checkpoint-00000999.safetensors')
  })

  it('is refused before the first step when it cannot be one', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    using model = await Model.create(stripeNetwork(), { device: 'cpu' })
    const run = model.train(stripes(50), { checkpoint: { directory: file } })
    expect((await run.next()).value).toMatchObject({ type: 'start' })
    await expect(run.next()).rejects.toMatchObject({ name: 'CheckpointError', code: 'ERR_CHECKPOINT_WRITE' })
  })
})
