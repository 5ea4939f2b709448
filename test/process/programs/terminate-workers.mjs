// Workers that create tensors and run asynchronous work without end, terminated at any moment.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { native, ones } from './addon.mjs'

async function work() {
  const matrix = ones(200, 200)
  let owners = []
  for (;;) {
    const { handle } = await native.callOperatorAsync('aten::matmul', [matrix, matrix], {})
    const owner = {}
    native.tensorAdopt(owner, handle)
    owners.push(owner)
    if (owners.length > 20) owners = []
    native.callOperatorAsync('aten::matmul', [matrix, matrix], {}) // left alone: its tensor ends with the worker
    native.callOperator('aten::add.Tensor', [matrix, matrix], {})
  }
}

if (isMainThread) {
  const codes = []
  for (let i = 0; i < 50; i++) {
    const worker = new Worker(fileURLToPath(import.meta.url))
    worker.on('error', (error) => console.log(error))
    await once(worker, 'message')
    await sleep((i * 7) % 30)
    codes.push(await worker.terminate())
  }
  console.log(JSON.stringify({ workers: codes.length, memory: native.memory() }))
} else {
  work()
  work()
  parentPort.postMessage('at work')
}
