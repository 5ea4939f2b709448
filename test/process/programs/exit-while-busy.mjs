// node exit-while-busy.mjs exit|end|worker|throw: leaves in that way while the executor has work.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { longJob, ones } from './addon.mjs'

const matrix = ones(900, 900)
const jobs = Array.from({ length: 12 }, () => longJob(matrix))
await jobs[0] // the next one is running now

if (!isMainThread) parentPort.postMessage('busy')
else if (process.argv[2] === 'exit') process.exit(0)
else if (process.argv[2] === 'throw') throw new Error('on purpose')
else if (process.argv[2] === 'worker') {
  await once(new Worker(fileURLToPath(import.meta.url)), 'message')
  process.exit(0)
} else if (process.argv[2] === 'end') Promise.all(jobs).then((results) => console.log(results.length))
