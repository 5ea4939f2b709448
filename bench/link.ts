// Simulated slots a second: `simulateSlots` beside NVIDIA Sionna's OFDM channel (bench/peers/link_sionna.py), the same link on the same
// threads, in turns within one run; medians.
//
//   PYTHON=/venv/with/sionna/bin/python npm run bench:link -- [--threads 2] [--slots 256] [--turns 9]
//
// PYTHON needs sionna-no-rt 2.2. Without it only this package is measured.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Channel, resourceGrid, simulateSlots } from '../lib/receiver/index.js'
import { native } from '../lib/runtime/addon.js'
import { machine, median } from './machine.js'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    slots: { type: 'string', default: '256' },
    turns: { type: 'string', default: '9' },
  },
})
const [threads, slots, turns] = [Number(values.threads), Number(values.slots), Number(values.turns)]
const goal = { slots: 20_000, ratio: 3 }

interface Contestant {
  readonly name: string
  /** Seconds that so many slots take. */
  readonly simulate: (slots: number) => Promise<number>
  readonly stop: () => void
}

async function own(name: string, delaySpread: number | readonly [number, number]): Promise<Contestant> {
  await native().setThreads(threads)
  const grid = resourceGrid({ symbols: 14, subcarriers: 48 })
  const channel: Channel = { kind: 'tdl-a', delaySpread, speed: [0, 30], carrier: 3.5e9 }
  let first = 0
  return {
    name,
    async simulate(samples) {
      const begin = performance.now()
      using _slots = await simulateSlots(grid, channel, { snr: [-4, 16], samples, first })
      first += samples
      return (performance.now() - begin) / 1000
    },
    stop: () => grid.dispose(),
  }
}

function sionna(python: string, mode: string): Contestant {
  const script = fileURLToPath(new URL('peers/link_sionna.py', import.meta.url))
  const child: ChildProcess = spawn(python, [script, String(threads), mode], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    name: `Sionna, ${mode}`,
    async simulate(count) {
      child.stdin!.write(`${count}\n`)
      const { value, done } = await answers.next()
      if (done) throw new Error(`${script} ended early`)
      return Number(value)
    },
    stop: () => child.stdin!.end(),
  }
}

const python = process.env.PYTHON
const contestants = [
  await own('spikingrx', 100e-9),
  await own('spikingrx, delay spread drawn for each slot', [10e-9, 300e-9]),
  ...(python ? [sionna(python, 'eager'), sionna(python, 'compiled')] : []),
]
console.log(
  `14 x 48 slots, TDL-A, QPSK; ${slots} at a time, ${threads} thread${threads === 1 ? '' : 's'}, median of ${turns} turns`,
)
console.log(machine())
const seconds = contestants.map((): number[] => [])
for (let turn = -2; turn < turns; turn++) {
  for (const [index, one] of contestants.entries()) {
    const taken = await one.simulate(slots)
    if (turn >= 0) seconds[index]!.push(taken)
  }
}
const rates = seconds.map((taken) => slots / median(taken))
const best = Math.max(...rates.slice(2))
for (const [index, { name, stop }] of contestants.entries()) {
  const beside = index < 2 && python ? `, ${(rates[index]! / best).toFixed(1)} x Sionna's faster mode` : ''
  console.log(`${name.padEnd(44)} ${rates[index]!.toFixed(0).padStart(8)} slots/s${beside}`)
  stop()
}
const reached = rates[0]! >= goal.slots && (!python || rates[0]! >= goal.ratio * best)
console.log(
  `goal: ${goal.slots} slots/s${python ? ` and ${goal.ratio} x Sionna` : ''}: ${reached ? 'reached' : 'missed'}`,
)
