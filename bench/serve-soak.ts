// The service under half load for a long time.
//
//   npm run soak:serve -- [--minutes 30]
//
// `spikingrx serve` with the demo network gets half of the requests that 64 connections can have answered, arriving at
// random. Every 10 s a new file is renamed into the model's place; a tenth of the requests is given up after 0 to 4 ms.
// At the end 256 requests are sent at once and SIGTERM after them. Exits with 1 when a goal is missed, and writes
// bench/results/soak.json.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from './machine.js'
import { shown, soak } from './soak.js'

const results = join(dirname(fileURLToPath(import.meta.url)), 'results')

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes must be a positive number, got ${values.minutes}`)
const about = { date: new Date().toISOString().slice(0, 10), machine: machine(), minutes }
console.log(`machine: ${about.machine}`)
const report = await soak({ seconds: 60 * minutes, reloadSeconds: 10, cancelled: 0.1, told: console.log })

const { before, after, atEnd, memory, slope } = report
const megabytes = (place: number): string => `${memory.at(place)?.[1].toFixed(0)} MB`
const goals: readonly (readonly [string, boolean])[] = [
  [`${report.failed} of ${report.answered + report.cancelled + report.failed} requests failed`, report.failed === 0],
  [`${report.reloaded} reloads of ${report.replaced} files`, report.replaced > 0 && report.reloaded >= report.replaced],
  [`memory ${megabytes(0)} to ${megabytes(-1)}, ${slope.toFixed(2)} MB a minute after the first fifth`, slope <= 1],
  [
    `at rest before: ${shown(before)}; after: ${shown(after)}`,
    after.tensors <= before.tensors && after.bytes <= before.bytes && after.files <= before.files + 64,
  ],
  [
    `SIGTERM with ${atEnd.accepted} accepted requests: ${atEnd.answered} answered, exit code ${atEnd.exit}`,
    atEnd.answered === atEnd.accepted && atEnd.exit === 0,
  ],
]
for (const [what, reached] of goals) console.log(`${reached ? 'reached' : 'MISSED '} ${what}`)
console.log(`${report.cancelled} requests were cancelled`)
for (const failure of report.failures.slice(0, 5)) console.log(`failure: ${failure}`)
mkdirSync(results, { recursive: true })
writeFileSync(join(results, 'soak.json'), `${JSON.stringify({ ...about, ...report }, null, 1)}\n`)
process.exitCode = goals.every(([, reached]) => reached) ? 0 : 1
