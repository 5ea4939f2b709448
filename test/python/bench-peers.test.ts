import { afterAll, describe, expect, it } from 'vitest'
import { entrantOf, Field, type RunSettings } from '../../bench/comparison/case-run.js'
import { type Case, lifCase, linearCase, mnistCase, predictCase, sewCase } from '../../bench/comparison/cases.js'
import { peerOf } from '../../bench/comparison/peers.js'
import { whyNoTorch } from './python.js'

// Small cases through the real peers: what `npm run bench` compares before it times. JAX and Inductor are left out: one is a
// large download, the other compiles for long.
const peers = ['copy', 'spikingrx', 'spikingrx-delayed', 'unbind', 'spikingjelly', 'norse', 'snntorch'].map((id) =>
  entrantOf(peerOf(id), { cold: false }),
)
const said: string[] = []
const settings: RunSettings = {
  repetitions: 1,
  budget: 0.1,
  patience: { prepare: 120, run: 60 },
  say: (line) => said.push(line),
}
const field = new Field()
afterAll(() => field.close())

async function timed(description: Case): Promise<string[]> {
  const { rows } = await field.run(description, peers, settings)
  for (const { peer, timing, agreement } of rows) {
    if (timing === undefined) continue
    expect(timing.wall, peer).toBeGreaterThan(0)
    if (peerOf(peer).reference !== undefined) expect(agreement, peer).toMatch(/^0 of|within|of 64 classes/)
  }
  return rows.filter(({ timing }) => timing !== undefined).map(({ peer }) => peer)
}

// The first installs Python's packages.
describe.skipIf(whyNoTorch() !== null)(
  'the benchmark times peers that compute what we do',
  { timeout: 600_000 },
  () => {
    const everybody = peers.map(({ id }) => id)

    it('LIF, with peak memory', async () => {
      expect(await timed(lifCase({ steps: 9, batch: 2, features: [3, 5] }))).toEqual(everybody)
    })

    it('Linear and LIF', async () => {
      expect(await timed(linearCase(12, false, everybody.slice(1)))).toEqual(everybody.slice(1))
    })

    it('SEW block', async () => {
      const shape = { steps: 3, batch: 2, channels: 4, side: 6 }
      expect(await timed(sewCase(shape))).toEqual(['spikingrx', 'spikingrx-delayed', 'spikingjelly', 'snntorch'])
    })

    it('MNIST', async () => {
      expect(await timed(mnistCase(5, 100))).toEqual(['spikingrx', 'spikingrx-delayed', 'spikingjelly', 'snntorch'])
    })

    it('inference of the demo network', async () => {
      expect(await timed(predictCase('digits', 16))).toEqual(['spikingrx', 'spikingjelly'])
    })

    it('without a word', () => {
      expect(said).toEqual([])
    })
  },
)
