import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { locateLibtorch, type SearchContext } from '../../lib/runtime/locate.js'

interface Report {
  readonly filename: string
  readonly file: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}
interface Script {
  librariesOf(folder: string): string[]
  assemble(torch: string, folder: string): string
  pack(folder: string, destination: string, largest?: number): Report
}
const { librariesOf, assemble, pack } = (await import(
  new URL('../../scripts/pack-libtorch.mjs', import.meta.url).href
)) as Script

/** A package of Python's torch in small: libraries that need one another as the real ones do. */
let home: string
let torch: string
const at = (...names: string[]) => path.join(home, ...names)

function library(name: string, ...needed: string[]): void {
  const file = path.join(torch, 'lib', name)
  const others = needed.map((other) => path.join(torch, 'lib', other))
  const options = ['-nostdlib', `-Wl,--no-as-needed,-soname,${name}`, '-o', file]
  const args = ['-shared', '-fPIC', '-x', 'c', '-', '-x', 'none', ...options, ...others]
  const source = `int of_${name.replaceAll(/\W/g, '_')}(void) { return 1; }`
  const { status, stderr } = spawnSync('gcc', args, { input: source, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr.slice(0, 500))
}

function put(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}

beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'spikingrx-pack-'))
  torch = at('site', 'torch')
  put(path.join(torch, 'version.py'), "__version__ = '2.13.0+cpu'\n")
  put(path.join(torch, '__init__.py'), '')
  put(path.join(torch, 'include/ATen/ATen.h'), '')
  put(at('site', 'torch-2.13.0+cpu.dist-info/licenses/LICENSE'), 'licence of torch\n')
  put(at('site', 'torch-2.13.0+cpu.dist-info/licenses/third_party/sleef/LICENSE.txt'), 'licence of sleef\n')
  mkdirSync(path.join(torch, 'lib'))
  library('libc10.so')
  library('libgomp.so.1')
  library('libtorch_cpu.so', 'libc10.so', 'libgomp.so.1')
  library('libtorch_python.so', 'libtorch_cpu.so')
  library('libshm.so', 'libtorch_cpu.so')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe("the package of libtorch's libraries", () => {
  it('takes what libtorch_cpu needs and nothing of Python', () => {
    expect(librariesOf(path.join(torch, 'lib'))).toEqual(['libc10.so', 'libgomp.so.1', 'libtorch_cpu.so'])
  })

  it('holds libraries and metadata only: stripped, with all licences and the version of libtorch', () => {
    const folder = at('package')
    expect(assemble(torch, folder)).toBe('2.13.0')
    const report = pack(folder, at('packed'))
    expect(report.filename).toBe('spikingrx-libtorch-cpu-linux-x64-2.13.0.tgz')
    expect(existsSync(report.file)).toBe(true)
    const names = report.files.map((file) => file.path)
    expect(names.filter((name) => !name.startsWith('licenses/')).sort()).toEqual([
      'LICENSE',
      'NOTICE',
      'README.md',
      'build-version',
      'lib/libc10.so',
      'lib/libgomp.so.1',
      'lib/libtorch_cpu.so',
      'package.json',
    ])
    expect(names).toEqual(
      expect.arrayContaining([
        'licenses/gcc-libgomp/GCC-RUNTIME-LIBRARY-EXCEPTION-3.1.txt',
        'licenses/gcc-libgomp/GPL-3.0.txt',
        'licenses/intel-onemkl/LICENSE.txt',
        'licenses/pytorch/NOTICE.txt',
        'licenses/pytorch/third_party/sleef/LICENSE.txt',
      ]),
    )
    const text = (name: string) => readFileSync(path.join(folder, name), 'utf8')
    expect(text('LICENSE')).toBe('licence of torch\n')
    expect(text('build-version')).toBe('2.13.0+cpu\n')
    const { version, os, cpu, libc, scripts, dependencies } = JSON.parse(text('package.json'))
    expect({ version, os, cpu, libc, scripts, dependencies }).toEqual({
      version: '2.13.0',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['glibc'],
    })
    const sections = (file: string) => spawnSync('readelf', ['-SW', file], { encoding: 'utf8' }).stdout
    expect(sections(path.join(torch, 'lib/libtorch_cpu.so'))).toContain(' .symtab ')
    for (const name of readdirSync(path.join(folder, 'lib'))) {
      expect(sections(path.join(folder, 'lib', name))).toContain(' .dynsym ')
      expect(sections(path.join(folder, 'lib', name))).not.toContain(' .symtab ')
    }
  })

  it('is found as the companion when it is installed', () => {
    const project = at('project')
    put(path.join(project, 'package.json'), '{ "name": "project", "version": "1.0.0" }')
    const report = pack(at('package'), at('packed'))
    const args = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', report.file]
    expect(spawnSync('npm', args, { cwd: project, encoding: 'utf8' }).status).toBe(0)
    const context: SearchContext = {
      environment: {},
      home: at('nobody'),
      platform: 'linux',
      architecture: 'x64',
      resolveFrom: [project],
      supported: ['2.13'],
      pythonTorch: () => null,
      libraryProblem: () => null,
    }
    const { found } = locateLibtorch(context)
    expect(found).toMatchObject({ source: 'companion', version: '2.13.0+cpu', build: 'cpu' })
  })

  it('is refused when it is too large, and leaves no file', () => {
    const destination = at('too-large')
    expect(() => pack(at('package'), destination, 1000)).toThrow(
      /^spikingrx-libtorch-cpu-linux-x64-2\.13\.0\.tgz has \d+\.\d MB, at most 0\.0 MB are wanted$/,
    )
    expect(readdirSync(destination)).toEqual([])
  })

  it('is refused when a stranger is in it', () => {
    put(at('package', 'lib/libtorch_python.so.debug'), '')
    expect(() => pack(at('package'), at('packed'))).toThrow('lib/libtorch_python.so.debug has no place')
  })

  it('is not made of a libtorch that lacks a library, of a CUDA build, or without licences', () => {
    const manifest = path.join(torch, 'version.py')
    writeFileSync(manifest, "__version__ = '2.13.0+cu130'\n")
    expect(() => assemble(torch, at('refused'))).toThrow('is libtorch 2.13.0+cu130, a CPU build is wanted')
    writeFileSync(manifest, "__version__ = '2.13.0+cpu'\n")
    rmSync(path.join(torch, 'lib/libgomp.so.1'))
    expect(() => assemble(torch, at('refused'))).toThrow('lib lacks libgomp.so.1, which libtorch needs')
    rmSync(at('site', 'torch-2.13.0+cpu.dist-info'), { recursive: true })
    expect(() => assemble(torch, at('refused'))).toThrow('libtorch must not be passed on without')
  })
})
