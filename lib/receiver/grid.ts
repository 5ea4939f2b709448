/** The resource grid of a slot: symbols × subcarriers, which elements carry pilots and which carry data. */
import { ArgumentError, ShapeError } from '../errors.js'
import { resolveDevice } from '../runtime/device.js'
import { quantity, wholeNumber } from '../study/quantity.js'
import { tensor } from '../tensor/create.js'
import { op } from '../tensor/operator.js'
import type { Tensor } from '../tensor/tensor.js'
import { bitsPerSymbol, checkedModulation, type Modulation } from './constellation.js'

/** Demodulation reference signals of type 1, one port (3GPP TS 38.211, 7.4.1.1): every other subcarrier of some symbols. */
export interface PilotOptions {
  /** Symbols that carry pilots. Default [2, 11]. */
  readonly symbols?: readonly number[]
  /** Pilots lie on subcarriers `offset`, `offset + 2`, ...: 0 or 1. Default 0. */
  readonly offset?: number
  /** Pilot energy over the data's, dB. Default 3.0103 (twice) where the carriers between are empty, else 0. */
  readonly boost?: number
  /** The subcarriers between the pilots carry data. Default false. */
  readonly dataBetween?: boolean
  /** N_ID of the sequence, 0..65535. Default 0. */
  readonly identity?: number
  /** n_SCID of the sequence, 0 or 1. Default 0. */
  readonly scrambling?: number
  /** Slot in the frame, which the sequence depends on. Default 0. */
  readonly slot?: number
}

export interface GridOptions {
  /** OFDM symbols of a slot, 1..14. Default 14. */
  readonly symbols?: number
  /** Default 48: four resource blocks. */
  readonly subcarriers?: number
  /** Subcarrier spacing, Hz. Default 30e3. */
  readonly spacing?: number
  /** Cyclic prefix as a share of the symbol. Default 144/2048, 5G's normal one (its first symbol's longer one left out). */
  readonly cyclicPrefix?: number
  /** Default 'qpsk'. */
  readonly modulation?: Modulation
  /** Pilots; `null`: none, for a link whose receiver knows the channel. */
  readonly pilots?: PilotOptions | null
  /** Empty subcarriers at the lower and the upper edge. Default [0, 0]. */
  readonly guards?: readonly [number, number]
  /** Where the link is computed: 'cpu', 'cuda', 'cuda:N' or 'auto'. Random numbers are drawn on the CPU, the same everywhere. Default 'cpu'. */
  readonly device?: string
  /** Leaves the subcarrier of frequency 0 (number `subcarriers / 2`) empty. Default false. */
  readonly nullCarrier?: boolean
}

/** What an element carries, as in {@link ResourceGrid.kinds}. */
export const elementKinds = { empty: 0, data: 1, pilot: 2 } as const

/** A grid: its settings with the defaults filled in, and its tensors. Free it with `dispose`, or `using`. */
export class ResourceGrid implements Disposable {
  readonly symbols: number
  readonly subcarriers: number
  /** Hz */
  readonly spacing: number
  readonly cyclicPrefix: number
  readonly modulation: Modulation
  readonly bitsPerSymbol: number
  /** Symbols that carry pilots. */
  readonly pilotSymbols: readonly number[]
  /** Data elements of a slot. */
  readonly dataElements: number
  /** Bits of a slot: {@link dataElements} × {@link bitsPerSymbol}. */
  readonly bits: number
  /** As libtorch names it, such as `'cpu'` or `'cuda:0'`. */
  readonly device: string
  /** `[symbols, subcarriers, 2]` float32: the pilots, zero elsewhere. */
  readonly pilots: Tensor
  /** `[symbols, subcarriers]` uint8, {@link elementKinds}. */
  readonly kinds: Tensor
  /** `[symbols]` float32, s: where each symbol begins. */
  readonly times: Tensor
  /** `[subcarriers]` float32, Hz. */
  readonly frequencies: Tensor

  /**
   * @throws ArgumentError `ERR_TYPE`, `ERR_RANGE` naming the option and its range
   * @throws ShapeError when no element is left for data
   * @throws DeviceError `ERR_DEVICE` when the device is not there
   */
  constructor(options: GridOptions = {}) {
    const owner = 'resourceGrid'
    this.symbols = wholeNumber(owner, 'symbols', options.symbols ?? 14, { min: 1, max: 14 })
    this.subcarriers = wholeNumber(owner, 'subcarriers', options.subcarriers ?? 48, { min: 1, max: 3300 })
    this.spacing = quantity(owner, 'spacing', options.spacing ?? 30e3, 'Hz', { min: 0, exclusive: true })
    this.cyclicPrefix = quantity(owner, 'cyclicPrefix', options.cyclicPrefix ?? 144 / 2048, '', { min: 0, max: 1 })
    this.modulation = checkedModulation(owner, options.modulation ?? 'qpsk')
    this.bitsPerSymbol = bitsPerSymbol[this.modulation]
    const layout = new Layout(this.symbols, this.subcarriers)
    layout.empty(guardsOf(options.guards ?? [0, 0], this.subcarriers), options.nullCarrier ?? false)
    const pilots = options.pilots === null ? undefined : pilotSettings(options.pilots ?? {}, this.symbols)
    if (pilots) layout.placePilots(pilots)
    this.pilotSymbols = pilots?.symbols ?? []
    this.dataElements = layout.kinds.filter((kind) => kind === elementKinds.data).length
    this.bits = this.dataElements * this.bitsPerSymbol
    if (this.dataElements === 0) {
      const message = `${owner}: no element is left for data; use fewer pilot symbols or guard carriers`
      throw new ShapeError(message, { symbols: this.symbols, subcarriers: this.subcarriers })
    }
    this.device = resolveDevice(options.device ?? 'cpu').device
    const { device } = this
    const shape = [this.symbols, this.subcarriers]
    this.pilots = tensor(layout.pilots, { shape: [...shape, 2], device })
    this.kinds = tensor(layout.kinds, { shape, device })
    const middle = Math.floor(this.subcarriers / 2)
    this.times = tensor(
      Float32Array.from({ length: this.symbols }, (_, s) => s * this.symbolDuration),
      { device },
    )
    this.frequencies = tensor(
      Float32Array.from({ length: this.subcarriers }, (_, k) => (k - middle) * this.spacing),
      { device },
    )
  }

  /** A symbol with its cyclic prefix, s. */
  get symbolDuration(): number {
    return (1 + this.cyclicPrefix) / this.spacing
  }

  dispose(): void {
    for (const one of [this.pilots, this.kinds, this.times, this.frequencies]) one.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * The grid of a slot.
 *
 *     using grid = resourceGrid({ symbols: 14, subcarriers: 48, modulation: 'qpsk' })
 *
 * @throws ArgumentError, ShapeError as {@link ResourceGrid}'s constructor
 */
export function resourceGrid(options: GridOptions = {}): ResourceGrid {
  return new ResourceGrid(options)
}

type PilotSettings = Required<PilotOptions>

function pilotSettings(options: PilotOptions, symbols: number): PilotSettings {
  const owner = 'resourceGrid: pilots'
  const between = options.dataBetween ?? false
  const list = [...(options.symbols ?? [2, 11].filter((symbol) => symbol < symbols))].sort((a, b) => a - b)
  if (list.length === 0 || new Set(list).size !== list.length) {
    const details = { parameter: 'symbols', value: list }
    const message = `${owner}: symbols must name at least one, each once, got [${list.join(', ')}]; pilots: null leaves them out`
    throw new ArgumentError(message, 'ERR_RANGE', details)
  }
  for (const symbol of list) wholeNumber(owner, 'symbols', symbol, { min: 0, max: symbols - 1 })
  return {
    symbols: list,
    offset: wholeNumber(owner, 'offset', options.offset ?? 0, { min: 0, max: 1 }),
    boost: quantity(owner, 'boost', options.boost ?? (between ? 0 : 10 * Math.log10(2)), 'dB', { min: -30, max: 30 }),
    dataBetween: between,
    identity: wholeNumber(owner, 'identity', options.identity ?? 0, { min: 0, max: 65535 }),
    scrambling: wholeNumber(owner, 'scrambling', options.scrambling ?? 0, { min: 0, max: 1 }),
    slot: wholeNumber(owner, 'slot', options.slot ?? 0, { min: 0, max: 159 }),
  }
}

function guardsOf(guards: unknown, subcarriers: number): readonly [number, number] {
  const owner = 'resourceGrid'
  if (!Array.isArray(guards) || guards.length !== 2) {
    throw new ArgumentError(`${owner}: guards must be [lower, upper] numbers of subcarriers`, 'ERR_TYPE', {
      value: guards,
    })
  }
  const [lower, upper] = guards.map((guard) => wholeNumber(owner, 'guards', guard, { min: 0, max: subcarriers })) as [
    number,
    number,
  ]
  return [lower, upper]
}

/** The elements while the grid is made. */
class Layout {
  readonly kinds: Uint8Array
  readonly pilots: Float32Array
  readonly #subcarriers: number
  readonly #symbols: number

  constructor(symbols: number, subcarriers: number) {
    this.#symbols = symbols
    this.#subcarriers = subcarriers
    this.kinds = new Uint8Array(symbols * subcarriers).fill(elementKinds.data)
    this.pilots = new Float32Array(symbols * subcarriers * 2)
  }

  empty([lower, upper]: readonly [number, number], nullCarrier: boolean): void {
    const middle = Math.floor(this.#subcarriers / 2)
    this.kinds.forEach((_, element) => {
      const k = element % this.#subcarriers
      const isEmpty = k < lower || k >= this.#subcarriers - upper || (nullCarrier && k === middle)
      if (isEmpty) this.kinds[element] = elementKinds.empty
    })
  }

  placePilots({ symbols, offset, boost, dataBetween, identity, scrambling, slot }: PilotSettings): void {
    const amplitude = 10 ** (boost / 20)
    const length = Math.ceil(this.#subcarriers / 2)
    for (const symbol of symbols.filter((one) => one < this.#symbols)) {
      using signal = op('spikingrx::link_reference_signal', [symbol, slot, identity, scrambling, length]) as Tensor
      const values = signal.toTypedArray()
      for (let k = 0; k < this.#subcarriers; k++) {
        const element = symbol * this.#subcarriers + k
        if (this.kinds[element] === elementKinds.empty) continue
        const isPilot = k % 2 === offset
        if (!isPilot && dataBetween) continue
        this.kinds[element] = isPilot ? elementKinds.pilot : elementKinds.empty
        if (!isPilot) continue
        for (const part of [0, 1]) this.pilots[2 * element + part] = amplitude * Number(values[2 * (k >> 1) + part])
      }
    }
  }
}
