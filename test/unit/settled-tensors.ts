import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { native } from '../../lib/runtime/addon.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Tensors alive once all that earlier tests dropped has been collected: from then on only the test itself changes it. */
export async function settledTensors(): Promise<number> {
  let alive = Number.NaN
  for (;;) {
    collectGarbage()
    await setTimeout(5)
    const now = native().memory().tensors
    if (now === alive) return alive
    alive = now
  }
}
