// Child of serve.ts: the same network by predict, in this process. JavaScript, so that no compiler runs in the process that
// is measured. Prints samples a second in batches, and the median milliseconds of one sample.
import { datasets, Model } from 'spikingrx'

const [path, threads, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const { test } = await datasets.mnist()
const model = await Model.load(path, { device: 'cpu', threads })

/** Milliseconds of each call, after some that are not counted. */
async function timed(size) {
  const inputs = Array.from({ length: 8 }, (_, k) => {
    const images = new Uint8Array(size * 784)
    for (let i = 0; i < size; i++) images.set(test.sample((k * size + i) % test.length).input, 784 * i)
    return images
  })
  const times = []
  const warm = performance.now() + 300
  const end = warm + 1000 * seconds
  for (let k = 0; ; k++) {
    const started = performance.now()
    if (started > end) break
    await model.predict(inputs[k % inputs.length], { batchSize: size })
    if (started > warm) times.push(performance.now() - started)
  }
  return times
}

const sum = (values) => values.reduce((total, value) => total + value, 0)
const result = {}
for (const size of [64, 256]) {
  const times = await timed(size)
  result[`batch${size}`] = (1000 * size * times.length) / sum(times)
}
const times = (await timed(1)).sort((a, b) => a - b)
result.single = times[times.length >> 1]
console.log(JSON.stringify(result))
model.dispose()
