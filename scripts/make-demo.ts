// Trains the digit network that `spikingrx serve --demo` serves, and writes models/demo/digits/1/model.safetensors.
//
//   npm run make:demo            about five minutes of one core; the same bits on the same machine
//
// The training images come twice: as they are, and turned, stretched and moved a little, because digits drawn by hand on
// a screen do not lie as well as those of the data set.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromArrays } from '../lib/data/arrays.js'
import { type ArrayDataset, datasets } from '../lib/data/index.js'
import { epochRandom } from '../lib/data/permutation.js'
import { adamW, Model, oneCycle, snn } from '../lib/index.js'
import { native } from '../lib/runtime/addon.js'

const target = fileURLToPath(new URL('../models/demo/digits/1/model.safetensors', import.meta.url))
const SEED = 7
const EPOCHS = 3
const WANTED = { accuracy: 0.98, bytes: 500_000 }
const SIDE = 28

const neurons = { decay: 0.5, threshold: 0.5 } as const
const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
// Statistics shared by all steps can be folded into the convolutions.
const spec = snn({ input: [1, SIDE, SIDE], steps: 8, labels, name: 'digits' })
  .convBlock(16, { stride: 2 })
  .spikeNorm()
  .lif(neurons)
  .sewBlock(32, { stride: 2, ...neurons })
  .classifier(10)

/** Each image once as it is and once bent. */
function withBent(images: ArrayDataset): ArrayDataset {
  const size = SIDE * SIDE
  const inputs = new Uint8Array(2 * images.length * size)
  const targets = new Int32Array(2 * images.length)
  const random = epochRandom(SEED, 0)
  const between = (low: number, high: number): number => low + ((high - low) * random.below(10_001)) / 10_000
  for (let i = 0; i < images.length; i++) {
    const { input, target: digit } = images.sample(i)
    const bent = bend(input as Uint8Array, {
      turn: (between(-15, 15) * Math.PI) / 180,
      width: between(0.85, 1.15),
      height: between(0.85, 1.15),
      across: between(-2.5, 2.5),
      down: between(-2.5, 2.5),
    })
    inputs.set(input as Uint8Array, 2 * i * size)
    inputs.set(bent, (2 * i + 1) * size)
    targets.fill(digit as number, 2 * i, 2 * i + 2)
  }
  return fromArrays({ inputs, shape: [2 * images.length, 1, SIDE, SIDE], targets, classes: labels })
}

interface Bend {
  readonly turn: number
  readonly width: number
  readonly height: number
  readonly across: number
  readonly down: number
}

/** Each pixel from where it came: turned about the middle, stretched, moved; between pixels by their distance. */
function bend(image: Uint8Array, { turn, width, height, across, down }: Bend): Uint8Array {
  const bent = new Uint8Array(image.length)
  const middle = (SIDE - 1) / 2
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)]
  const pixel = (x: number, y: number): number => (x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : image[y * SIDE + x]!)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [dx, dy] = [x - middle - across, y - middle - down]
      const fromX = (cosine * dx + sine * dy) / width + middle
      const fromY = (cosine * dy - sine * dx) / height + middle
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
      const [right, below] = [fromX - left, fromY - top]
      bent[y * SIDE + x] = Math.round(
        (1 - below) * ((1 - right) * pixel(left, top) + right * pixel(left + 1, top)) +
          below * ((1 - right) * pixel(left, top + 1) + right * pixel(left + 1, top + 1)),
      )
    }
  }
  return bent
}

const { train, test } = await datasets.mnist()
await native().setThreads(1)
await using model = await Model.create(spec, { device: 'cpu', seed: SEED })
console.log(model.summary())
const events = model.train(withBent(train), {
  epochs: EPOCHS,
  batchSize: 128,
  optimizer: adamW({ lr: 4e-3 }),
  schedule: oneCycle(),
  seed: SEED,
  validation: test,
})
for await (const event of events) {
  if (event.type === 'epoch') console.log(JSON.stringify(event))
}
const { accuracy } = await model.evaluate(test)
console.log(`accuracy on the test images: ${(100 * accuracy).toFixed(2)} %`)
if (accuracy < WANTED.accuracy) throw new Error(`less than ${100 * WANTED.accuracy} %: nothing is written`)
mkdirSync(dirname(target), { recursive: true })
await model.save(target, { serving: { input: { name: 'input', datatype: 'UINT8' }, labels } })
const { size } = statSync(target)
console.log(`${target}: ${size} bytes`)
if (size > WANTED.bytes) throw new Error(`more than ${WANTED.bytes} bytes`)
