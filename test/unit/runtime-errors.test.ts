import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  ArgumentError,
  DeviceError,
  ShapeError,
  SpecError,
  SpikingRxError,
  StateError,
  TorchError,
} from '../../lib/errors.js'
import { withTypedErrors } from '../../lib/runtime/typed-errors.js'

const coded = (code: string) => Object.assign(new Error(`message of ${code}`), { code })
const addon = withTypedErrors({
  version: '2.13.0',
  sum: (a: number, b: number) => a + b,
  sumAsync: async (a: number, b: number) => a + b,
  fail: (error: unknown): never => {
    throw error
  },
  failAsync: (error: unknown) => Promise.reject(error),
})
const thrown = (error: unknown): unknown => {
  try {
    return addon.fail(error)
  } catch (caught) {
    return caught
  }
}

describe('errors of the addon', () => {
  it.each([
    ['ERR_TORCH', TorchError],
    ['ERR_TORCH_OUT_OF_MEMORY', TorchError],
    ['ERR_SHAPE', ShapeError],
    ['ERR_TYPE', ArgumentError],
    ['ERR_RANGE', ArgumentError],
    ['ERR_ARGUMENT', ArgumentError],
    ['ERR_SPEC', SpecError],
    ['ERR_DISPOSED', StateError],
    ['ERR_BUSY', StateError],
    ['ERR_DEVICE', DeviceError],
    ['ERR_ABORTED', AbortedError],
    ['ERR_NATIVE', SpikingRxError],
  ])('%s becomes %o, thrown or rejected', async (code, expected) => {
    const error = thrown(coded(code)) as SpikingRxError
    expect(error.constructor).toBe(expected)
    expect(error).toMatchObject({ code, message: `message of ${code}` })
    await expect(addon.failAsync(coded(code))).rejects.toBeInstanceOf(expected)
    await expect(addon.failAsync(coded(code))).rejects.toMatchObject({ code })
  })

  it('leaves alone what is not its own', () => {
    for (const other of [new TypeError('plain'), coded('EACCES'), new ShapeError('typed already'), 'a string'])
      expect(thrown(other)).toBe(other)
  })

  it('hands results and constants through', async () => {
    expect(addon.sum(1, 2)).toBe(3)
    expect(await addon.sumAsync(1, 2)).toBe(3)
    expect(addon.version).toBe('2.13.0')
  })
})
