import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { libraryFile, locateLibtorch, type SearchContext } from '../../lib/runtime/locate.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-locate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A folder that looks like libtorch: empty libraries and the version file of the Python package. */
function fakeLibtorch(name: string, { version = '2.13.0', libraries = ['c10', 'torch_cpu'] } = {}): string {
  const root = path.join(folder, name)
  mkdirSync(path.join(root, 'lib'), { recursive: true })
  for (const library of libraries) writeFileSync(path.join(root, 'lib', `lib${library}.so`), '')
  writeFileSync(path.join(root, 'version.py'), `__version__ = '${version}'\n`)
  return root
}

function context(change: Partial<SearchContext> = {}): SearchContext {
  return {
    environment: { XDG_CACHE_HOME: path.join(folder, 'cache') },
    home: folder,
    platform: 'linux',
    architecture: 'x64',
    resolveFrom: [folder],
    supported: ['2.13'],
    pythonTorch: () => null,
    libraryProblem: () => null,
    ...change,
  }
}

describe('the search for libtorch', () => {
  it('takes SPIKINGRX_LIBTORCH before all else', () => {
    const root = fakeLibtorch('chosen', { version: '2.13.1+cpu' })
    fakeLibtorch('cache/spikingrx/libtorch-2.13.0-cpu')
    const { environment } = context()
    const search = locateLibtorch(context({ environment: { ...environment, SPIKINGRX_LIBTORCH: root } }))
    expect(search.found).toEqual({
      source: 'environment',
      root,
      libraries: path.join(root, 'lib'),
      version: '2.13.1+cpu',
      build: 'cpu',
    })
    expect(search.rejected).toEqual([])
  })

  it('takes the companion package before the cache', () => {
    const root = fakeLibtorch('node_modules/@spikingrx/libtorch-cpu-linux-x64')
    writeFileSync(path.join(root, 'package.json'), '{"name":"@spikingrx/libtorch-cpu-linux-x64","version":"2.13.0"}')
    fakeLibtorch('cache/spikingrx/libtorch-2.13.0-cpu')
    expect(locateLibtorch(context()).found).toMatchObject({ source: 'companion', root })
    expect(locateLibtorch(context({ architecture: 'arm64' })).found?.source).toBe('cache')
  })

  it('takes a CUDA build of the cache before the companion package, which is for the CPU', () => {
    const companion = fakeLibtorch('node_modules/@spikingrx/libtorch-cpu-linux-x64')
    writeFileSync(
      path.join(companion, 'package.json'),
      '{"name":"@spikingrx/libtorch-cpu-linux-x64","version":"2.13.0"}',
    )
    fakeLibtorch('cache/spikingrx/libtorch-2.13.1-cpu')
    const libraries = ['c10', 'torch_cpu', 'torch_cuda']
    const root = fakeLibtorch('cache/spikingrx/libtorch-2.13.0-cu130/torch', { libraries })
    expect(locateLibtorch(context()).found).toMatchObject({ source: 'cache', root, build: 'cuda' })
    rmSync(root, { recursive: true })
    const { found, rejected } = locateLibtorch(context())
    expect(found).toMatchObject({ source: 'companion', root: companion })
    expect(rejected).toContainEqual({
      place: path.join(folder, 'cache/spikingrx/libtorch-2.13.0-cu130'),
      reason: 'holds no lib/libtorch_cpu.so',
    })
  })

  it('passes over a companion package of another version, and what has a damaged library', () => {
    const companion = fakeLibtorch('node_modules/@spikingrx/libtorch-cpu-linux-x64', { version: '2.12.0+cpu' })
    writeFileSync(path.join(companion, 'package.json'), '{"name":"@spikingrx/libtorch-cpu-linux-x64"}')
    fakeLibtorch('cache/spikingrx/libtorch-2.13.1-cpu')
    const root = fakeLibtorch('cache/spikingrx/libtorch-2.13.0-cpu')
    const libraryProblem = (file: string) =>
      file.includes('2.13.1') && file.endsWith('torch_cpu.so') ? 'is cut off' : null
    const { found, rejected } = locateLibtorch(context({ libraryProblem }))
    expect(found?.root).toBe(root)
    expect(rejected.slice(1)).toEqual([
      {
        place: 'package @spikingrx/libtorch-cpu-linux-x64',
        reason: 'is libtorch 2.12.0+cpu (cpu build), this package has a core for 2.13',
        version: '2.12.0+cpu',
      },
      {
        place: path.join(folder, 'cache/spikingrx/libtorch-2.13.1-cpu'),
        reason: 'lib/libtorch_cpu.so is cut off',
        damaged: true,
      },
    ])
  })

  it('takes the newest fitting version of the cache, in either layout', () => {
    fakeLibtorch('cache/spikingrx/libtorch-2.13.2-cpu')
    const newest = fakeLibtorch('cache/spikingrx/libtorch-2.13.10-cpu/torch', { version: '2.13.10' })
    fakeLibtorch('cache/spikingrx/libtorch-2.14.0-cpu', { version: '2.14.0' })
    fakeLibtorch('cache/spikingrx/libtorch-2.13.99-cpu.part-abc')
    const { found, rejected } = locateLibtorch(context())
    expect(found).toMatchObject({ source: 'cache', root: newest, version: '2.13.10' })
    expect(rejected.at(-1)).toEqual({
      place: path.join(folder, 'cache/spikingrx/libtorch-2.14.0-cpu'),
      reason: 'is libtorch 2.14.0 (cpu build), this package has a core for 2.13',
      version: '2.14.0',
    })
  })

  it('looks for the cache in the home folder without XDG_CACHE_HOME', () => {
    const root = fakeLibtorch('.cache/spikingrx/libtorch-2.13.0-cpu/torch')
    expect(locateLibtorch(context({ environment: {} })).found?.root).toBe(root)
  })

  it('asks Python only on request', () => {
    const root = fakeLibtorch('site-packages/torch')
    const environment = { XDG_CACHE_HOME: folder, SPIKINGRX_PYTHON_TORCH: '1' }
    expect(locateLibtorch(context({ pythonTorch: () => root })).found).toBeNull()
    expect(locateLibtorch(context({ environment, pythonTorch: () => root })).found).toMatchObject({
      source: 'python',
      root,
    })
    expect(locateLibtorch(context({ environment })).rejected.at(-1)?.reason).toBe('is not installed for python3')
  })

  it('names the CUDA build', () => {
    const root = fakeLibtorch('cuda', { version: '2.13.0+cu130', libraries: ['c10', 'torch_cpu', 'torch_cuda'] })
    expect(locateLibtorch(context({ environment: { SPIKINGRX_LIBTORCH: root } })).found).toMatchObject({
      build: 'cuda',
      version: '2.13.0+cu130',
    })
  })

  it('records each place passed over with its reason', () => {
    const incomplete = fakeLibtorch('incomplete', { libraries: ['torch_cpu'] })
    const cache = path.join(folder, 'cache')
    const reasons = (chosen: string) =>
      locateLibtorch(context({ environment: { XDG_CACHE_HOME: cache, SPIKINGRX_LIBTORCH: chosen } })).rejected
    expect(reasons(incomplete)).toEqual([
      { place: `SPIKINGRX_LIBTORCH=${incomplete}`, reason: 'lib/libc10.so is missing beside libtorch_cpu.so' },
      { place: 'package @spikingrx/libtorch-cpu-linux-x64', reason: 'is not installed' },
      { place: `cache ${path.join(cache, 'spikingrx')}`, reason: 'holds no libtorch-* folder' },
      { place: "Python's torch", reason: 'is used only with SPIKINGRX_PYTHON_TORCH=1' },
    ])
    expect(reasons(folder)[0]?.reason).toBe('holds no lib/libtorch_cpu.so')
    expect(reasons('/nowhere/at/all')[0]?.reason).toBe('no such folder')
  })

  it('accepts a libtorch whose version no file tells: the loader asks it later', () => {
    const root = fakeLibtorch('stripped')
    rmSync(path.join(root, 'version.py'))
    expect(locateLibtorch(context({ environment: { SPIKINGRX_LIBTORCH: root } })).found).toMatchObject({
      version: null,
    })
  })

  it('reads the version of the official zip', () => {
    const root = fakeLibtorch('zip')
    rmSync(path.join(root, 'version.py'))
    writeFileSync(path.join(root, 'build-version'), '2.13.0+cpu\n')
    expect(locateLibtorch(context({ environment: { SPIKINGRX_LIBTORCH: root } })).found?.version).toBe('2.13.0+cpu')
  })

  it('knows what libraries are called on each platform', () => {
    expect(['linux', 'darwin', 'win32'].map((platform) => libraryFile('c10', platform))).toEqual([
      'libc10.so',
      'libc10.dylib',
      'c10.dll',
    ])
  })
})
