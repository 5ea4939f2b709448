/** What `npm run bench` is asked for. */
import { parseArgs } from 'node:util'
import { type Group, groups } from './cases.js'
import { peers } from './peers.js'

export interface BenchOptions {
  readonly full: boolean
  readonly groups: readonly Group[]
  /** Ids; spikingrx is always among them. */
  readonly peers: readonly string[]
  readonly repetitions: number
  /** Seconds a peer may take in a case, its first run apart. */
  readonly budget: number
  /** Where the peers run: a list as taskset takes it. */
  readonly processors: string | undefined
  /** Folder of what is written. */
  readonly out: string | undefined
}

export const help = `npm run bench -- [options]

  --full               all cases and peers, an epoch of MNIST, compiling without caches: half an hour (default: some 3 minutes)
  --cases a,b          ${groups.join(', ')}
  --peers a,b          ${peers.map(({ id }) => id).join(', ')}
  --repetitions N      at most, of each peer in each case (default 5, --full 15)
  --budget SECONDS     that a peer may take in a case beside its first run (default 1.5, --full 8)
  --processors LIST    to run on, as for taskset (default: the last one, or as many as a case has threads)
  --out FOLDER         instead of bench/results
  --help`

/** @throws Error with one sentence for an option that can't be used */
export function parseBenchOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      cases: { type: 'string' },
      peers: { type: 'string' },
      repetitions: { type: 'string' },
      budget: { type: 'string' },
      processors: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const positive = (name: 'repetitions' | 'budget', otherwise: number): number => {
    const text = values[name]
    if (text === undefined) return otherwise
    const value = Number(text)
    if (!(value > 0 && Number.isFinite(value)) || (name === 'repetitions' && !Number.isInteger(value)))
      throw new Error(`--${name} must be a positive ${name === 'budget' ? 'number' : 'whole number'}, got "${text}"`)
    return value
  }
  const chosen = <T extends string>(name: 'cases' | 'peers', all: readonly T[]): readonly T[] => {
    const text = values[name]
    if (text === undefined) return all
    const names = text.split(',').map((one) => one.trim())
    const unknown = names.find((one) => !all.includes(one as T))
    if (unknown !== undefined) throw new Error(`--${name}: there is no "${unknown}", only ${all.join(', ')}`)
    return all.filter((one) => names.includes(one))
  }
  const { full, processors } = values
  if (processors !== undefined && !/^\d+([-,]\d+)*$/.test(processors))
    throw new Error(`--processors must be a list such as 0 or 0,2-3, got "${processors}"`)
  const ids = chosen(
    'peers',
    peers.map(({ id }) => id),
  )
  // What a peer is compared with is measured as well.
  const references = ids.flatMap((id) => peers.find((peer) => peer.id === id)?.reference ?? [])
  const wanted = new Set(['spikingrx', ...ids, ...references])
  return {
    full,
    groups: chosen('cases', groups),
    peers: peers.map(({ id }) => id).filter((id) => wanted.has(id)),
    repetitions: positive('repetitions', full ? 15 : 5),
    budget: positive('budget', full ? 8 : 1.5),
    processors,
    out: values.out,
  }
}
