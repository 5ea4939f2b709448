// Streaming inference: one frame at a time, with the membranes carried from frame to frame.
//
// A bar moves over 16 pixels, to the left or to the right. No single frame tells which: the network has to remember.
// It learns on whole sequences and then watches a stream, where its opinion is there after every frame.
//
// Run: npx tsx examples/streaming.ts
import { adamW, datasets, Model, snn } from 'spikingrx'

const pixels = 16
const frames = 12

/** Frames of a bar that starts anywhere and moves by one pixel a frame, around the edge. */
function movie(start: number, direction: 1 | -1): Float32Array {
  const sequence = new Float32Array(frames * pixels)
  for (let t = 0; t < frames; t++) sequence[t * pixels + ((start + direction * t + frames * pixels) % pixels)] = 1
  return sequence
}

const directions = ['left', 'right']
const samples = Array.from({ length: 512 }, (_, i) => ({
  input: movie((i >> 1) % pixels, i % 2 === 0 ? -1 : 1),
  target: i % 2,
}))
const movies = datasets.fromIterable(() => samples, {
  inputShape: [frames, pixels],
  length: samples.length,
  classes: directions,
})

// The slow second layer compares a frame with those before it.
const spec = snn({ input: [pixels], steps: frames, labels: directions })
  .linear(128)
  .lif({ decay: 0.6, threshold: 0.3, decayInput: false })
  .linear(64)
  .lif({ decay: 0.8, threshold: 0.3, decayInput: false })
  .classifier(2)
await using model = await Model.create(spec, { seed: 1 })
for await (const event of model.train(movies, { epochs: 15, batchSize: 32, optimizer: adamW({ lr: 5e-3 }) })) {
  if (event.type === 'epoch' && event.epoch % 5 === 0) {
    console.log(`epoch ${event.epoch}: accuracy ${(100 * event.accuracy).toFixed(1)} %`)
  }
}

using stream = model.stream()
for (const direction of [1, -1] as const) {
  const sequence = movie(5, direction)
  for (let t = 0; t < frames; t++) {
    const { mean, steps } = await stream.step(sequence.subarray(t * pixels, (t + 1) * pixels))
    const [left = 0, right = 0] = mean
    console.log(`frame ${String(steps).padStart(2)}: left ${left.toFixed(2)}, right ${right.toFixed(2)}`)
    if (t === frames - 1) console.log(`It moves to the ${left > right ? 'left' : 'right'}.\n`)
  }
  await stream.reset()
}
