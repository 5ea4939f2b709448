/** A trained network as a receiver: it takes the place of channel estimation, equalisation and demapping. */
import { ShapeError } from '../errors.js'
import type { Model } from '../model/model.js'
import { sameShape } from '../model/shape.js'
import { tensor } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import type { ResourceGrid } from './grid.js'
import { networkInput, type Receiver } from './receivers.js'

/**
 * The network's LLRs. It knows neither the noise power nor the channel; what it needs of them it reads off the grid.
 *
 * @param model stays the caller's to dispose of
 * @param name for tables and pictures; default: the network's, or what it is made of
 * @throws ShapeError when the network was made for another grid or modulation
 */
export function neuralReceiver(grid: ResourceGrid, model: Model, name = nameOf(model)): Receiver {
  const { symbols, subcarriers, bitsPerSymbol } = grid
  requireShape('reads', model.spec.input, [4, symbols, subcarriers])
  requireShape('gives', model.spec.output, [bitsPerSymbol, symbols, subcarriers])
  const nothing = (): void => undefined
  return {
    name,
    llrs: (slots) =>
      scope(async () => {
        const { scores, shape } = await model.predict(await networkInput(grid, slots))
        return tensor(scores, { shape })
      }),
    dispose: nothing,
    [Symbol.dispose]: nothing,
  }
}

/** Whether it is the spiking network rather than its dense twin. */
export function isSpiking({ spec }: Model): boolean {
  return spec.layers.some(({ kind }) => kind === 'lif')
}

function nameOf(model: Model): string {
  return isSpiking(model) ? 'spiking' : 'dense'
}

function requireShape(does: string, actual: readonly number[], expected: readonly number[]): void {
  if (sameShape(actual, expected)) return
  const message = `neuralReceiver: the network ${does} [${actual.join(', ')}], the grid wants [${expected.join(', ')}]; load one trained for this grid`
  throw new ShapeError(message, { expected, actual })
}
