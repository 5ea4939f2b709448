import { readImage } from '../io/image.js'
import { Model } from '../model/model.js'
import type { Device } from '../runtime/device.js'
import { defineCommand, print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import * as options from './options.js'
import { percent } from './wording.js'

const definitions = {
  top: { kind: 'integer', min: 1, max: 1_000_000, help: 'how many classes to show, the likeliest first (default 3)' },
  invert: {
    kind: 'choice',
    choices: ['auto', 'always', 'never'],
    help: 'swap light and dark; auto (default) where the border is light, as in ink on paper',
  },
  device: options.device,
  threads: options.threads,
  json: options.json,
} as const satisfies options.Options

export const command = defineCommand({
  name: 'predict',
  about: "Says what a network takes an image for. The image is brought to the size of the network's input.",
  positionals: [
    { name: 'checkpoint', help: 'model.safetensors of a run, or one of its training checkpoints' },
    { name: 'image', help: 'a PNG image, or an array in .npy: [H, W], [C, H, W] or [H, W, C]' },
  ],
  options: definitions,
  examples: [
    'spikingrx predict runs/mnist-sew-20261122-101500/model.safetensors digit.png',
    'spikingrx predict model.safetensors digit.npy --top 10 --json',
  ],
  run: ({ positionals: [path = '', image = ''], values }) => predict(path, image, values),
})

async function predict(path: string, image: string, values: options.Values<typeof definitions>): Promise<ExitCode> {
  const { device = 'auto', threads, top = 3, invert = 'auto' } = values
  using model = await Model.load(path, { device: device as Device, ...(threads === undefined ? {} : { threads }) })
  const { labels = [], input } = model.spec
  const picture = await readImage(image, { shape: input, invert: invert === 'auto' ? 'auto' : invert === 'always' })
  const { scores, probabilities = new Float32Array(0) } = await model.predict(picture, { probabilities: true })
  const classes = Array.from(probabilities, (probability, index) => ({
    class: index,
    label: labels[index] ?? String(index),
    probability,
    score: scores[index]!,
  }))
  const likeliest = classes.sort((a, b) => b.score - a.score).slice(0, top)
  if (values.json) print(JSON.stringify({ checkpoint: path, image, classes: likeliest }))
  else print(likeliest.map(({ label, probability }) => row(label, probability, likeliest)).join('\n'))
  return EXIT.ok
}

/** "7   99.81 %  ████████████████████" */
function row(label: string, probability: number, rows: readonly { readonly label: string }[]): string {
  const width = Math.max(...rows.map((one) => one.label.length))
  const bar = '█'.repeat(Math.round(20 * probability))
  return `${label.padEnd(width)}  ${percent(probability).padStart(8)}  ${bar}`.trimEnd()
}
