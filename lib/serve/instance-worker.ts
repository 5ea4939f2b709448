/** The thread of one instance: answers questions until it is told to end. */
import { parentPort, workerData } from 'node:worker_threads'
import { parseSpec } from '../model/schema.js'
import { native } from '../runtime/addon.js'
import { type BatchOutput, Instance } from './instance.js'
import { type Answer, failureOf, type Question, type WorkerStart } from './worker-messages.js'

const port = parentPort!

async function open({ spec, device, threads, ...checkpoint }: WorkerStart): Promise<Instance> {
  await native().setThreads(threads)
  return Instance.create({ ...checkpoint, spec: parseSpec(spec) }, device)
}

const instance = open(workerData as WorkerStart)
// Each question says that it failed.
instance.catch(() => undefined)

async function answer(question: Question): Promise<Pick<Answer, 'output'>> {
  const opened = await instance
  switch (question.kind) {
    case 'warmUp':
      await opened.warmUp(question.sizes)
      return {}
    case 'run':
      return { output: await opened.run(question.batch) }
    case 'dispose':
      await opened.dispose()
      return {}
  }
}

port.on('message', async ({ id, question }: { id: number; question: Question }) => {
  try {
    const answered = await answer(question)
    port.postMessage({ id, ...answered }, answered.output ? buffersOf(answered.output) : [])
  } catch (error) {
    port.postMessage({ id, failure: failureOf(error) })
  }
  if (question.kind === 'dispose') port.close()
})

/** Moved to the other thread, not copied. */
function buffersOf({ scores, steps, records }: BatchOutput): ArrayBuffer[] {
  const arrays = [scores, ...(steps ? [steps] : []), ...records.map(({ values }) => values)]
  return arrays.map(({ buffer }) => buffer as ArrayBuffer)
}
