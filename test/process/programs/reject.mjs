// Refused calls, synchronous and asynchronous, then ordinary work: the process goes on as if nothing had been.
import { native, ones } from './addon.mjs'

const [a, b] = [ones(2, 3), ones(2, 3)]
const before = native.memory()
const codes = new Set()
for (let i = 0; i < 200; i++) {
  await native.callOperatorAsync('aten::mm', [a, b], {}).catch(({ code }) => codes.add(code))
  await native.callOperatorAsync('aten::empty.memory_format', [[2 ** 50]], {}).catch(({ code }) => codes.add(code))
  try {
    native.callOperator('aten::mm', [a, b], {})
  } catch ({ code }) {
    codes.add(code)
  }
}
const after = native.memory()
const { handle } = await native.callOperatorAsync('aten::add.Tensor', [a, b], {})
console.log(
  JSON.stringify({ codes: [...codes], kept: after.bytes - before.bytes, sum: [...native.tensorData(handle)] }),
)
