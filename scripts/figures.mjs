// npm run figures: sizes of the packed and installed package, and how long a user waits for it, with their goals.
// Sizes are asserted by test/package; times are medians of processes of their own and only printed.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { packed } from './packed.mjs'

const repetitions = 15
const { folder, manifest, project, companion, bin } = await packed()
const modules = path.join(project, 'node_modules')

/** Bytes of all files below a folder. */
function bytesIn(folder) {
  const files = readdirSync(folder, { recursive: true }).map((file) => lstatSync(path.join(folder, file)))
  return files.filter((file) => file.isFile()).reduce((sum, file) => sum + file.size, 0)
}

/** Milliseconds that a program prints, one number a name: medians over fresh processes, files in the page cache. */
function medians(text) {
  const environment = { PATH: bin, HOME: path.join(folder, 'home'), SPIKINGRX_LIBTORCH: companion }
  const runs = Array.from({ length: repetitions + 1 }, () => {
    const args = ['--input-type=module', '--eval', text]
    return JSON.parse(execFileSync(path.join(bin, 'node'), args, { cwd: project, env: environment, encoding: 'utf8' }))
  }).slice(1)
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
  return Object.fromEntries(Object.keys(runs[0]).map((name) => [name, middle(runs.map((run) => run[name]))]))
}

const times = medians(`
  const began = performance.now()
  const { tensor } = await import('spikingrx')
  const imported = performance.now()
  tensor([1, 2, 3])
  const computed = performance.now()
  console.log(JSON.stringify({ import: imported - began, tensor: computed - imported, start: began }))
`)
const program = path.join(modules, '.bin/spikingrx')
const helpTimes = Array.from({ length: repetitions + 1 }, () => {
  const began = performance.now()
  const { status } = spawnSync(program, ['--help'], { env: { PATH: bin } })
  if (status !== 0) throw new Error(`spikingrx --help ended with ${status}`)
  return performance.now() - began
}).slice(1)
const help = helpTimes.sort((a, b) => a - b)[Math.floor(repetitions / 2)]

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`
const milliseconds = (time) => `${time.toFixed(0)} ms`
const main = path.join(modules, 'spikingrx')
const largest = readdirSync(modules)
  .filter((name) => !name.startsWith('.') && name !== 'spikingrx')
  .map((name) => [name, bytesIn(path.join(modules, name))])
  .sort(([, a], [, b]) => b - a)
  .slice(0, 5)
const rows = [
  ['tarball', megabytes(manifest.size), '<= 3 MB'],
  ['installed: spikingrx', megabytes(bytesIn(main)), '<= 10 MB'],
  ['  of it native files', megabytes(bytesIn(path.join(main, 'prebuilds'))), ''],
  ['installed: with dependencies', megabytes(bytesIn(modules)), ''],
  ...largest.map(([name, bytes]) => [`  of it ${name}`, megabytes(bytes), '']),
  ["import 'spikingrx'", milliseconds(times.import), '<= 50 ms'],
  ['first tensor, libtorch loaded with it', milliseconds(times.tensor), '<= 400 ms'],
  ['process start to first tensor', milliseconds(times.start + times.import + times.tensor), ''],
  ['spikingrx --help', milliseconds(help), ''],
]
const packages = fileURLToPath(new URL('../dist-packages', import.meta.url))
const companions = existsSync(packages) ? readdirSync(packages).filter((name) => name.includes('libtorch')) : []
for (const name of companions)
  rows.push(['companion tarball', megabytes(statSync(path.join(packages, name)).size), '<= 115 MB'])
const processor = os.cpus()[0]?.model.trim() ?? 'unknown processor'
console.log(
  `Node ${process.versions.node}, ${os.availableParallelism()} processors (${processor}); median of ${repetitions}`,
)
for (const [what, value, goal] of rows) console.log(`${what.padEnd(40)} ${value.padStart(10)}   ${goal}`.trimEnd())
