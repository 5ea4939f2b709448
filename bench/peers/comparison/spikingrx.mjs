// spikingrx as a peer of `npm run bench`, through the package's public API (dist/); speaks what peer.py describes.
//
//   node spikingrx.mjs [VARIANT]
//     delayed        with snnTorch's neuron: reset one step later and outside the gradient, fast sigmoid
//     saved          forward saves the membranes for backward
//     operators      LIF by its two operators on prepared tensors: the kernels without autograd
//     convolutions   the two convolutions of the SEW block alone
//     dense          inference without event-driven layers
//
// JavaScript, so that no compiler runs in the process that is measured. A process prepares one case and then only that one: its
// memory is counted from a fresh start.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { contiguous, scope } from 'spikingrx'
import { cases } from './spikingrx-cases.mjs'

const variant = process.argv[2] ?? ''

/** A typed array of a raw file. */
function read({ file, dtype }) {
  const bytes = readFileSync(file)
  const kinds = { float32: Float32Array, uint8: Uint8Array }
  return new kinds[dtype](bytes.buffer, bytes.byteOffset, bytes.byteLength / kinds[dtype].BYTES_PER_ELEMENT)
}

function write(folder, name, { values, shape }) {
  const file = join(folder, `${name}.bin`)
  writeFileSync(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return { file, dtype: values instanceof Uint8Array ? 'uint8' : 'float32', shape }
}

/** A tensor's values as they are written: uint8 for spikes. */
function written(name, tensor) {
  const values = scope(() => contiguous(tensor).toTypedArray())
  return { values: name === 'spikes' ? Uint8Array.from(values) : values, shape: tensor.shape }
}

function statusBytes(field) {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`))
  return 1024 * Number(line.split(/\s+/)[1])
}

/** Bytes resident at most during `run` beyond those before, or null where the system does not tell. */
async function highestMemory(run) {
  let before = null
  try {
    globalThis.gc?.()
    await sleep(200) // V8 gives array buffers back on a thread of its own
    writeFileSync('/proc/self/clear_refs', '5')
    before = statusBytes('VmRSS')
  } catch {}
  await run()
  return before === null ? null : Math.max(0, statusBytes('VmHWM') - before)
}

async function timed(work, times) {
  const processor = process.cpuUsage()
  const began = performance.now()
  for (let k = 0; k < times; k++) await work.run()
  const wall = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(processor)
  return { wall: wall / times, processor: (user + system) / 1e6 / times }
}

let work

async function prepare(description) {
  const build = cases[description.kind]?.[variant]
  if (build === undefined) return { ok: false, kind: 'unsupported', error: 'not a case of this peer' }
  const inputs = Object.fromEntries(
    Object.entries(description.inputs).map(([name, array]) => [name, { values: read(array), shape: array.shape }]),
  )
  work = await build(description, inputs)
  let memory = null
  if (description.kind === 'lif') memory = await highestMemory(work.run)
  const outputs = {}
  for (const [name, value] of Object.entries(await work.outputs())) {
    outputs[name] = write(description.folder, name, 'values' in value ? value : written(name, value))
  }
  return { ok: true, compileSeconds: null, memory, outputs }
}

async function answer(request) {
  switch (request.do) {
    case 'prepare':
      return prepare(request.case)
    case 'run':
      return { ok: true, ...(await timed(work, request.times)) }
    case 'evaluate':
      return { ok: true, figures: (await work.evaluate?.()) ?? {} }
    case 'release':
      return { ok: true }
    default:
      throw new Error(`unknown request ${request.do}`)
  }
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
say({ ok: true, versions: { spikingrx: version } })
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  try {
    say(await answer(request))
  } catch (error) {
    console.error(error)
    say({ ok: false, kind: 'failed', error: error.message.split('\n')[0] })
  }
  if (request.do === 'release') break
}
