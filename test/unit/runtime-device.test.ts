import { afterEach, describe, expect, it, vi } from 'vitest'
import { ArgumentError, DeviceError } from '../../lib/errors.js'
import { type CudaFacts, cudaOfLibtorch, explainCuda } from '../../lib/runtime/cuda.js'
import { resolveDevice } from '../../lib/runtime/device.js'
import { driverRuns } from '../../lib/runtime/nvidia.js'

const facts = (change: Partial<CudaFacts> = {}): CudaFacts => ({
  driver: { version: '580.65.06', cuda: '13.0', gpus: ['A GPU'] },
  libtorch: { version: '2.13.0+cu130', build: 'cuda' },
  cudaRuntime: '13.0',
  kernels: '/package/spikingrx_cuda.so',
  failure: null,
  ...change,
})
const never = () => {
  throw new Error('asked')
}
const cpuBuild = facts({
  driver: null,
  libtorch: { version: '2.13.0+cpu', build: 'cpu' },
  cudaRuntime: null,
  kernels: null,
})
const two = () => ({ count: 2, names: ['First GPU', 'Second GPU'], problem: null, explain: never })
const none = () => ({
  count: 0,
  names: [],
  problem: 'the libtorch in use is a CPU build',
  explain: () => explainCuda(cpuBuild),
})

describe('resolveDevice', () => {
  it('takes the processor without asking for GPUs', () => {
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
      "device 'cuda' is not there: no NVIDIA driver answers (nvidia-smi) and the libtorch in use is a CPU build. " +
        'Found: no NVIDIA driver, libtorch 2.13.0+cpu (CPU build), no CUDA runtime, no kernels (spikingrx_cuda.so). ' +
        "Install the driver, then run `npx spikingrx setup --cuda`, or use 'cpu' or 'auto'",
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

describe("what 'auto' took", () => {
  afterEach(() => {
    vi.doUnmock('../../lib/runtime/nvidia.js')
    vi.resetModules()
    vi.restoreAllMocks()
  })

  async function warnings(driverIsLoaded: boolean): Promise<unknown[]> {
    vi.resetModules()
    vi.doMock('../../lib/runtime/nvidia.js', () => ({ driverIsLoaded: () => driverIsLoaded }))
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const fresh = await import('../../lib/runtime/device.js')
    for (let i = 0; i < 3; i++) expect(fresh.resolveDevice('auto', none).device).toBe('cpu')
    return warn.mock.calls.map(([text]) => text)
  }

  it('is a warning, once, where a driver is loaded and yet the processor was taken', async () => {
    expect(await warnings(true)).toEqual([
      "device 'auto' is the CPU though an NVIDIA driver is loaded (no GPU: the libtorch in use is a CPU build); `npx spikingrx doctor` tells more",
    ])
  })

  it('is nothing to warn of on a machine without a GPU', async () => {
    expect(await warnings(false)).toEqual([])
  })
})

describe('what stands between this machine and a GPU', () => {
  it.each([
    [{ driver: null }, 'no NVIDIA driver answers (nvidia-smi)', 'Install the driver'],
    [
      { libtorch: { version: '2.13.0', build: 'cpu' as const }, cudaRuntime: null },
      'the libtorch in use is a CPU build',
      'Run `npx spikingrx setup --cuda`',
    ],
    [
      { driver: { version: '550.54', cuda: '12.4', gpus: [] } },
      'the NVIDIA driver runs CUDA 12.4 at most, this libtorch needs 13.0',
      'Install a newer driver',
    ],
    [
      { kernels: null, failure: 'the CUDA kernels (spikingrx_cuda.so) are not there' },
      "this package's CUDA kernels (spikingrx_cuda.so) are not there",
      'Install a release that ships them or run `npm run build:cuda` in a checkout',
    ],
    [{ failure: 'libcudnn.so.9 is missing' }, 'libcudnn.so.9 is missing', 'Run `npx spikingrx setup --cuda`'],
    [{}, "libtorch's CUDA build sees no GPU", 'Look at CUDA_VISIBLE_DEVICES and nvidia-smi'],
  ])('%j is told with what to do', (change, missing, fix) => {
    expect(explainCuda(facts(change))).toMatchObject({ missing, fix })
  })

  it('names the versions found', () => {
    expect(explainCuda(facts()).found).toBe(
      'NVIDIA driver 580.65.06 (CUDA 13.0), libtorch 2.13.0+cu130 (CUDA build), CUDA runtime 13.0, kernels spikingrx_cuda.so',
    )
  })

  it('takes any driver of the same major version of CUDA', () => {
    expect([
      driverRuns('13.0', '13.2'),
      driverRuns('12.9', '13.0'),
      driverRuns('14.1', '13.0'),
      driverRuns(null, '13.0'),
    ]).toEqual([true, false, true, true])
  })

  it('reads the CUDA of a libtorch out of its version where no file tells', () => {
    expect(cudaOfLibtorch('/nowhere', '2.13.0+cu130')).toBe('13.0')
    expect(cudaOfLibtorch('/nowhere', '2.13.0+cpu')).toBeNull()
  })
})
