import { fromArrays } from '../../lib/data/arrays.js'
import type { ArrayDataset } from '../../lib/data/index.js'
import { epochRandom } from '../../lib/data/permutation.js'
import { type NetworkSpec, snn } from '../../lib/model/spec.js'
import type { TrainEvent } from '../../lib/train/events.js'

/** Images of 1×6×6 bytes in three classes: noise with a bright pair of rows, at a height that tells the class. */
export function stripes(samples: number, seed = 1): ArrayDataset {
  const random = epochRandom(seed, 0)
  const inputs = new Uint8Array(samples * 36)
  const targets = new Int32Array(samples)
  for (let i = 0; i < samples; i++) {
    const target = random.below(3)
    targets[i] = target
    for (let pixel = 0; pixel < 36; pixel++) {
      const bright = Math.floor(pixel / 12) === target
      inputs[i * 36 + pixel] = random.below(100) + (bright ? 120 : 0)
    }
  }
  return fromArrays({ inputs, shape: [samples, 1, 6, 6], targets, classes: ['top', 'middle', 'bottom'] })
}

/** A network for them with every kind of thing that has state: norms, dropout, learnt decay. */
export function stripeNetwork(): NetworkSpec {
  return snn({ input: [1, 6, 6], steps: 3, labels: ['top', 'middle', 'bottom'] })
    .convBlock(4)
    .spikeNorm()
    .lif({ threshold: 0.2, learnable: ['decay'] })
    .dropout(0.1)
    .classifier(3)
}

/** All events of a run, without the times. */
export async function collect(run: AsyncIterable<TrainEvent>): Promise<TrainEvent[]> {
  const events: TrainEvent[] = []
  for await (const event of run) events.push(timeless(event))
  return events
}

/** An event without what differs from run to run. */
export function timeless(event: TrainEvent): TrainEvent {
  if ('samplesPerSecond' in event) return { ...event, samplesPerSecond: 0 }
  return 'seconds' in event ? { ...event, seconds: 0 } : event
}

export function ofType<T extends TrainEvent['type']>(
  events: readonly TrainEvent[],
  type: T,
): Extract<TrainEvent, { type: T }>[] {
  return events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type)
}
