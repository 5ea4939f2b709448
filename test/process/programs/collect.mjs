// A synchronous loop that only drops its tensors: nothing but the sweep can free them. Then what the event loop frees.
import { setImmediate as turn } from 'node:timers/promises'
import { native } from './addon.mjs'

function create(count, shape) {
  let most = { tensors: 0, bytes: 0 }
  for (let i = 0; i < count; i++) {
    native.tensorAdopt({}, native.callOperator('aten::empty.memory_format', [shape], {}).handle)
    const { tensors, bytes } = native.memory()
    most = { tensors: Math.max(most.tensors, tensors), bytes: Math.max(most.bytes, bytes) }
  }
  return most
}

const big = create(3000, [1024, 1024]) // 12 GB in all
const small = create(300_000, [2])
globalThis.gc()
await turn()
await turn()
console.log(JSON.stringify({ big, small, end: native.memory() }))
