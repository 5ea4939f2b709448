/**
 * The membranes of many sequences in one table for each neuron layer, `[rows, ...]`. A batch gathers the rows of its
 * sequences, and scatters what they have become back when it is done, by two operators a layer however many sequences it
 * has. Row 0 is rest: all zeros, read by sequences that start and never written.
 */
import type { OperatorValue, TensorHandle } from '../native.js'
import { native } from '../runtime/addon.js'

/** Where a batch's state is read and written: a row for each of its samples. */
export interface StateRows {
  readonly from: readonly number[]
  readonly to: readonly number[]
  /** Time steps that they have all seen, as far as the network depends on it. */
  readonly age: number
}

/** Rows of a new table; it doubles when they do not suffice. */
const FIRST_ROWS = 32

/** Values from which copying is left to the executor thread. */
const MUCH = 1 << 16

export class StateTable {
  #layers: TensorHandle[] = []
  #rows = 0
  /** Values of one row, in all layers. */
  #width = 0

  /**
   * The state to start a batch with; the caller frees it. Empty before anything was stored, which stands for rest.
   */
  async gather({ from, age }: StateRows): Promise<TensorHandle[]> {
    if (this.#rows === 0) return []
    const taken: TensorHandle[] = []
    const rows = this.#place(from)
    try {
      for (const layer of this.#layers) {
        const call = [{ handle: layer }, 0, { handle: rows }]
        taken.push(handleOf(await this.#call('aten::index_select', call, from.length)))
      }
      taken.push(native().tensorFrom(BigInt64Array.of(BigInt(age)), [], 'int64'))
      return taken
    } catch (error) {
      free(taken)
      throw error
    } finally {
      free([rows])
    }
  }

  /** Keeps what a batch ended with. `state` is still the caller's. */
  async scatter({ to }: StateRows, state: readonly TensorHandle[]): Promise<void> {
    const layers = state.slice(0, -1)
    const last = to.reduce((most, row) => Math.max(most, row), 0)
    this.#grow(last + 1, layers)
    const rows = this.#place(to)
    try {
      for (const [index, layer] of this.#layers.entries()) {
        const call = [{ handle: layer }, 0, { handle: rows }, { handle: layers[index]! }]
        free([handleOf(await this.#call('aten::index_copy_', call, to.length))])
      }
    } finally {
      free([rows])
    }
  }

  dispose(): void {
    free(this.#layers)
    this.#layers = []
    this.#rows = 0
  }

  /** Makes room for `rows` rows, of the shapes that the state has. */
  #grow(rows: number, like: readonly TensorHandle[]): void {
    if (rows <= this.#rows) return
    let size = Math.max(FIRST_ROWS, this.#rows)
    while (size < rows) size *= 2
    const made: TensorHandle[] = []
    try {
      let width = 0
      for (const [index, tensor] of like.entries()) {
        const [, ...shape] = native().tensorInfo(tensor).shape
        width += shape.reduce((product, length) => product * length, 1)
        const before = this.#layers[index]
        const more = size - this.#rows
        const zeros = handleOf(native().callOperator('aten::new_zeros', [{ handle: tensor }, [more, ...shape]], {}))
        if (before === undefined) made.push(zeros)
        else {
          const parts = [{ handle: before }, { handle: zeros }]
          made.push(handleOf(native().callOperator('aten::cat', [parts, 0], {})))
          free([zeros])
        }
      }
      free(this.#layers)
      this.#layers = made
      this.#rows = size
      this.#width = width
    } catch (error) {
      free(made)
      throw error
    }
  }

  /** Row numbers, on the device of the state. */
  #place(rows: readonly number[]): TensorHandle {
    const numbers = native().tensorFrom(BigInt64Array.from(rows, BigInt), [rows.length], 'int64')
    const [layer] = this.#layers
    const device = layer === undefined ? 'cpu' : native().tensorInfo(layer).device
    if (device === 'cpu') return numbers
    const placed = handleOf(native().callOperator('aten::_to_copy', [{ handle: numbers }], { device }))
    free([numbers])
    return placed
  }

  /** An operator over `rows` rows: much is copied off the main thread. */
  async #call(name: string, args: readonly OperatorValue[], rows: number): Promise<OperatorValue> {
    if (rows * this.#width < MUCH) return native().callOperator(name, args, {})
    return native().callOperatorAsync(name, args, {})
  }
}

export function handleOf(value: OperatorValue): TensorHandle {
  return (value as { readonly handle: TensorHandle }).handle
}

export function free(handles: Iterable<TensorHandle>): void {
  for (const handle of handles) native().tensorFree(handle)
}
