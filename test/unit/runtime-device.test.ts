import { describe, expect, it } from 'vitest'
import { ArgumentError, DeviceError } from '../../lib/errors.js'
import { resolveDevice } from '../../lib/runtime/device.js'

const two = () => ({ count: 2, names: ['First GPU', 'Second GPU'], problem: null })
const none = () => ({ count: 0, names: [], problem: 'the libtorch in use is a CPU build' })

describe('resolveDevice', () => {
  it('takes the processor without asking for GPUs', () => {
    const never = () => {
      throw new Error('asked')
    }
    expect(resolveDevice('cpu', never)).toEqual({ device: 'cpu', reason: 'asked for' })
  })

  it('takes the GPU named, the first by default', () => {
    expect(resolveDevice('cuda', two)).toEqual({ device: 'cuda:0', reason: 'First GPU' })
    expect(resolveDevice('cuda:1', two)).toEqual({ device: 'cuda:1', reason: 'Second GPU' })
    expect(resolveDevice('auto', two).device).toBe('cuda:0')
  })

  it("falls back to the processor only for 'auto', and says why", () => {
    expect(resolveDevice('auto', none)).toEqual({ device: 'cpu', reason: 'no GPU: the libtorch in use is a CPU build' })
    expect(() => resolveDevice('cuda', none)).toThrow(DeviceError)
    expect(() => resolveDevice('cuda', none)).toThrow(
      "device 'cuda' is not there: the libtorch in use is a CPU build; use 'cpu' or 'auto'",
    )
  })

  it('refuses a number beyond the GPUs there are', () => {
    expect(() => resolveDevice('cuda:2', two)).toThrow(
      "device 'cuda:2' is not there: this machine has 2 GPUs, numbered from cuda:0",
    )
  })

  it.each(['gpu', 'cuda:', 'cuda:-1', 'cuda:x', 'cuda:99999', '', 'CPU'])("refuses '%s'", (request) => {
    expect(() => resolveDevice(request, two)).toThrow(ArgumentError)
    expect(() => resolveDevice(request, two)).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  })
})
