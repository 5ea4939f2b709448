import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseBuild, releaseFor } from '../../lib/runtime/setup/choice.js'
import { diskError } from '../../lib/runtime/setup/setup-error.js'
import { buildNamed, indexOf, officialZip, parseFrom, versionNamed } from '../../lib/runtime/setup/source.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-choice-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const driver = (cuda: string) => () => ({ version: '580.1', cuda, gpus: [] })
const source = { explicit: false, holds: null } as const

describe('CPU or CUDA', () => {
  it('goes by the driver where nothing is asked for', () => {
    expect(chooseBuild(null, source, () => null)).toEqual({
      build: 'cpu',
      notes: ['no NVIDIA driver answers (nvidia-smi): taking the CPU build'],
    })
    expect(chooseBuild(null, source, driver('13.1')).build).toBe('cuda')
    const old = chooseBuild(null, source, driver('12.4'))
    expect(old.build).toBe('cpu')
    expect(old.notes[0]).toBe(
      "NVIDIA driver 580.1 (CUDA 12.4) is too old for libtorch's CUDA 13.0 build: taking the CPU build. To use the GPU, update it to 580 or newer and run setup --cuda",
    )
  })

  it('gives CUDA to who asks for it, with a warning where no driver is, never with one that is too old', () => {
    const missing = chooseBuild('cuda', source, () => null)
    expect(missing.build).toBe('cuda')
    expect(missing.notes[0]).toMatch(/^no NVIDIA driver answers here/)
    expect(() => chooseBuild('cuda', source, driver('12.4'))).toThrow(
      expect.objectContaining({
        code: 'ERR_SETUP_DRIVER',
        message:
          "the NVIDIA driver 580.1 (CUDA 12.4) is too old for libtorch's CUDA 13.0 build: update it to 580 or newer, or use --cpu",
      }),
    )
    // Another source may be of an older CUDA.
    expect(chooseBuild('cuda', { explicit: true, holds: null }, driver('12.4')).build).toBe('cuda')
  })

  it('goes by what a source that was given holds, and asks no driver', () => {
    const never = () => {
      throw new Error('asked')
    }
    expect(chooseBuild(null, { explicit: true, holds: 'cuda' }, never)).toEqual({ build: 'cuda', notes: [] })
    expect(chooseBuild(null, { explicit: true, holds: null }, driver('12.4'))).toEqual({ build: 'cuda', notes: [] })
    expect(chooseBuild('cpu', source, never).build).toBe('cpu')
  })

  it('fetches the newest version there is a core for', () => {
    expect(releaseFor(['2.9', '2.13', '2.11'])).toBe('2.13.0')
    expect(releaseFor(['2.11'])).toBe('2.11.0')
    expect(releaseFor([])).toBe('2.13.0')
  })
})

describe('--from', () => {
  const never = () => {
    throw new Error('asked')
  }

  it('names official places, addresses, files and folders', () => {
    expect(parseFrom('wheel', never)).toEqual({ kind: 'index' })
    expect(parseFrom('zip', () => officialZip('2.13.0', 'cpu', 'cu130', null))).toMatchObject({
      kind: 'url',
      name: 'libtorch-shared-with-deps-2.13.0+cpu.zip',
      url: new URL('https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-2.13.0%2Bcpu.zip'),
    })
    expect(officialZip('2.13.0', 'cuda', 'cu130', new URL('https://mirror.example/pt/')).href).toBe(
      'https://mirror.example/pt/libtorch/cu130/libtorch-shared-with-deps-2.13.0%2Bcu130.zip',
    )
    const address = parseFrom(`https://a.example/b/torch-2.13.0%2Bcpu.whl#sha256=${'0'.repeat(64)}`, never)
    expect(address).toMatchObject({
      kind: 'url',
      name: 'torch-2.13.0+cpu.whl',
      sha256: '0'.repeat(64),
      url: new URL('https://a.example/b/torch-2.13.0%2Bcpu.whl'),
    })
    expect([buildNamed(address), versionNamed(address)]).toEqual(['cpu', '2.13.0'])
    expect(() => parseFrom('ftp://a.example/b.whl', never)).toThrow(
      expect.objectContaining({ code: 'ERR_SETUP_SOURCE' }),
    )

    mkdirSync(path.join(folder, 'libtorch/lib'), { recursive: true })
    for (const name of ['libtorch_cpu.so', 'libtorch_cuda.so'])
      writeFileSync(path.join(folder, 'libtorch/lib', name), '')
    writeFileSync(path.join(folder, 'libtorch/build-version'), '2.11.0+cu130\n')
    const libtorch = parseFrom(folder, never)
    expect(libtorch).toEqual({ kind: 'folder', root: path.join(folder, 'libtorch') })
    expect([buildNamed(libtorch), versionNamed(libtorch)]).toEqual(['cuda', '2.11.0'])
    rmSync(path.join(folder, 'libtorch'), { recursive: true })
    expect(() => parseFrom(folder, never)).toThrow('holds neither lib/libtorch_cpu.so nor a torch-*.whl')
    writeFileSync(path.join(folder, 'torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl'), '')
    expect(parseFrom(folder, never)).toEqual({ kind: 'wheels', folder })
    expect(versionNamed(parseFrom(folder, never))).toBe('2.13.0')
  })

  it("takes the CPU wheel from torch's index, the CUDA wheel from PyPI, both from a mirror", () => {
    expect(indexOf('cpu', null).href).toBe('https://download.pytorch.org/whl/cpu')
    expect(indexOf('cuda', null).href).toBe('https://pypi.org/simple')
    expect(indexOf('cuda', new URL('https://mirror.example/simple')).href).toBe('https://mirror.example/simple')
  })
})

describe('an error of the file system', () => {
  it("names the disk's refusals", () => {
    const error = diskError(Object.assign(new Error('no'), { code: 'ENOSPC' }), '/cache')
    expect(error).toMatchObject({
      code: 'ERR_SETUP_DISK',
      message: "/cache can't be written: the disk is full. Free space or set XDG_CACHE_HOME to another folder",
    })
    const other = new Error('other')
    expect(diskError(other, '/cache')).toBe(other)
  })
})
