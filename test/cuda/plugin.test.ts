import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Facts {
  readonly needed: readonly string[]
  readonly searchPath: string | null
  readonly wanted: readonly { readonly name: string; readonly version: string }[]
  readonly exported: readonly string[]
  readonly images: readonly string[]
}
interface Check {
  deviceImages(section: Uint8Array): string[]
  pluginFacts(file: string): Facts
  pluginFaults(facts: Facts): string[]
}
const from = (name: string) => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href)
const { findNvcc } = (await from('build-cuda')) as { findNvcc(): string | null }
const { deviceImages, pluginFacts, pluginFaults } = (await from('check-plugin')) as Check

const root = path.resolve(import.meta.dirname, '../..')
const program = path.join(root, 'scripts/build-cuda.mjs')
const folder = mkdtempSync(path.join(os.tmpdir(), 'spikingrx-cuda-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const reason =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'the plugin is built on Linux x64'
    : findNvcc() === null
      ? 'nvcc was not found'
      : null

describe.skipIf(reason !== null)(`the CUDA plugin, built and linked${reason ? ` (${reason})` : ''}`, () => {
  let facts: Facts

  beforeAll(() => {
    // One generation, newer than which PTX serves: a release's six take minutes.
    const args = [program, '--architectures', '90', '--output', folder, '--build', path.join(root, 'build/cuda-test')]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${stdout}\n${stderr}`)
    facts = pluginFacts(path.join(folder, 'spikingrx_cuda.so'))
  }, 600_000)

  it('needs of libtorch only the stable C interface, exports nothing, and is made for old systems', () => {
    expect(pluginFaults(facts)).toEqual([])
    expect(facts.exported).toEqual([])
    expect(facts.searchPath).toBeNull()
  })

  it('is linked against libtorch and no CUDA runtime', () => {
    const system = ['libstdc++.so.6', 'libgcc_s.so.1', 'libc.so.6', 'libm.so.6', 'ld-linux-x86-64.so.2']
    expect(facts.needed.filter((library) => !system.includes(library))).toEqual(['libtorch_cpu.so', 'libtorch_cuda.so'])
    const names = facts.wanted.map((symbol) => symbol.name)
    expect(names).toContain('aoti_torch_get_current_cuda_stream')
    expect(names.filter((name) => /^_ZNK?(2at|3c10|5torch)|^cuda/.test(name))).toEqual([])
  })

  it('holds machine code for the architecture asked for, and its PTX', () => {
    expect(facts.images).toEqual(['compute_90', 'sm_90'])
  })
})

describe('the check of the plugin', () => {
  const sound = {
    needed: ['libtorch_cpu.so', 'libtorch_cuda.so', 'libc.so.6'],
    searchPath: null,
    wanted: [
      { name: 'aoti_torch_get_dim', version: 'aoti_torch_get_dim' },
      { name: 'memcpy', version: 'GLIBC_2.14' },
    ],
    exported: [],
    images: ['compute_120', 'sm_90'],
  }

  it.each([
    ['nothing', {}, []],
    [
      'C++ of libtorch',
      { wanted: [{ name: '_ZN2at5emptyEv', version: '_ZN2at5emptyEv' }] },
      ['needs _ZN2at5emptyEv, which is not of the stable C interface'],
    ],
    [
      'a new glibc',
      { wanted: [{ name: 'dlopen', version: 'GLIBC_2.34' }] },
      ['needs dlopen@GLIBC_2.34, above 2.28: see native/cuda/compatibility.S'],
    ],
    ['a CUDA runtime', { needed: [...sound.needed, 'libcudart.so.13'] }, ['needs libcudart.so.13']],
    ['a search path', { searchPath: '/opt' }, ['has a search path for libraries: /opt']],
    ['an exported symbol', { exported: ['launch'] }, ['exports launch']],
    ['PTX alone', { images: ['compute_90'] }, ['holds no machine code for a GPU']],
    ['no PTX', { images: ['sm_90'] }, ['holds no PTX for newer GPUs']],
  ])('finds %s', (_, change, faults) => {
    expect(pluginFaults({ ...sound, ...change })).toEqual(faults)
  })

  it('reads the images of fat binaries', () => {
    const image = (kind: number, architecture: number, size: number) => {
      const header = Buffer.alloc(64 + size)
      header.writeUInt16LE(kind, 0)
      header.writeUInt32LE(64, 4)
      header.writeBigUInt64LE(BigInt(size), 8)
      header.writeUInt32LE(architecture, 28)
      return header
    }
    const binary = (...images: Buffer[]) => {
      const header = Buffer.alloc(16)
      header.writeUInt32LE(0xba55ed50, 0)
      header.writeUInt16LE(1, 4)
      header.writeUInt16LE(16, 6)
      header.writeBigUInt64LE(BigInt(Buffer.concat(images).length), 8)
      return Buffer.concat([header, ...images])
    }
    const section = Buffer.concat([
      binary(image(2, 90, 40), image(1, 120, 8)),
      Buffer.alloc(8),
      binary(image(2, 75, 16)),
    ])
    expect(deviceImages(section)).toEqual(['compute_120', 'sm_75', 'sm_90'])
    expect(deviceImages(Buffer.alloc(64))).toEqual([])
  })
})

describe('npm run build:cuda without nvcc', () => {
  it('says so in one line, builds nothing and succeeds', () => {
    const output = path.join(folder, 'none')
    const { status, stdout } = spawnSync(process.execPath, [program, '--output', output], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: folder, CUDA_HOME: folder },
    })
    const line =
      process.platform === 'linux' && process.arch === 'x64'
        ? 'CUDA plugin: skipped, nvcc was not found (install the CUDA toolkit 12.8 or newer, or set CUDACXX to its nvcc)\n'
        : `CUDA plugin: skipped, it is built on Linux x64, this is ${process.platform} ${process.arch}\n`
    expect({ status, stdout }).toEqual({ status: 0, stdout: line })
    expect(existsSync(output)).toBe(false)
  })
})
