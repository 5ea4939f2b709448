/** What the tensors of this process hold. */
import type { NativeMemory } from '../native.js'
import { native } from '../runtime/addon.js'

/** Tensors alive in this thread, and bytes libtorch's CPU allocator holds in the whole process. */
export function memory(): NativeMemory {
  return native().memory()
}
