import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addonFiles } from '../../lib/runtime/files.js'

interface Facts {
  readonly name: string
  readonly needed: readonly string[]
  readonly highest: Readonly<Record<string, string>>
}
interface Script {
  inspect(file: string): Facts
  faultsOf(facts: Facts): string[]
  floorFaultsOf(facts: Facts): string[]
  faultsOfSet(names: readonly string[]): string[]
}
const script = new URL('../../scripts/check-binaries.mjs', import.meta.url)
const { inspect, faultsOf, floorFaultsOf, faultsOfSet } = (await import(script.href)) as Script

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-binaries-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A shared object of one line of C, stripped unless told otherwise. */
function library(name: string, source: string, ...options: string[]): string {
  const file = path.join(folder, name)
  const args = ['-shared', '-fPIC', '-s', '-nostdlib', '-x', 'c', '-', '-x', 'none', '-o', file, ...options]
  const { status, stderr } = spawnSync('gcc', args, { input: source, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr.slice(0, 500))
  return file
}

const harmless = 'int answer(void) { return 42; }'

describe('the check of prebuilt binaries', () => {
  it('finds nothing in a stripped library that asks for nothing', () => {
    const facts = inspect(library('spikingrx.t213.so', harmless))
    expect([...faultsOf(facts), ...floorFaultsOf(facts)]).toEqual([])
  })

  it('allows a core, and nothing else, to look beside itself, by the newer kind of search path', () => {
    const beside = '-Wl,--enable-new-dtags,-rpath,$ORIGIN'
    expect(faultsOf(inspect(library('spikingrx.t213.so', harmless, beside)))).toEqual([])
    const fault = ['has a search path for libraries: $ORIGIN']
    for (const name of ['spikingrx_node.t213.so', 'spikingrx_kernels.so', 'spikingrx_cuda.so', 'spikingrx.glibc.node'])
      expect(faultsOf(inspect(library(name, harmless, beside)))).toEqual(fault)
    const old = '-Wl,--disable-new-dtags,-rpath,$ORIGIN' // is inherited by what a library needs: libtorch
    expect(faultsOf(inspect(library('spikingrx.t213.so', harmless, old)))).toEqual(fault)
  })

  it('finds a search path, of either kind', () => {
    const old = library('spikingrx.t213.so', harmless, '-Wl,--disable-new-dtags,-rpath,/opt/torch/lib')
    expect(faultsOf(inspect(old))).toEqual(['has a search path for libraries: /opt/torch/lib'])
    const current = library('spikingrx.t213.so', harmless, '-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib')
    expect(faultsOf(inspect(current))).toEqual(['has a search path for libraries: $ORIGIN/../lib'])
  })

  it('finds a newer glibc, and names the symbol that asks for it', () => {
    const versions = path.join(folder, 'versions.map')
    writeFileSync(versions, 'GLIBC_2.9 { global: old_one; };\nGLIBC_2.29 { global: new_one; } GLIBC_2.9;\n')
    const exports = 'void old_one(void) {} void new_one(void) {}'
    const libm = library('libm.so.6', exports, `-Wl,--version-script=${versions}`, '-Wl,-soname,libm.so.6')
    const old = library('spikingrx.t213.so', 'void old_one(void); void f(void) { old_one(); }', libm)
    expect([inspect(old).highest, floorFaultsOf(inspect(old))]).toEqual([{ GLIBC: '2.9' }, []])
    const late = 'void old_one(void); void new_one(void); void f(void) { old_one(); new_one(); }'
    expect(floorFaultsOf(inspect(library('spikingrx.t213.so', late, libm)))).toEqual([
      'needs GLIBC_2.29, above 2.28 (new_one): see native/compat/',
    ])
  })

  it('finds symbols and debug information left in', () => {
    const file = path.join(folder, 'spikingrx.t213.so')
    const args = ['-shared', '-g', '-nostdlib', '-x', 'c', '-', '-o', file]
    expect(spawnSync('gcc', args, { input: harmless }).status).toBe(0)
    expect(faultsOf(inspect(file))).toEqual(['is not stripped'])
  })

  it('finds a library that a file must not need: libtorch in the loader, another core in the binding', () => {
    const libtorch = library('libtorch_cpu.so', harmless, '-Wl,-soname,libtorch_cpu.so')
    const other = library('spikingrx.t211.so', 'int other(void) { return 1; }', '-Wl,-soname,spikingrx.t211.so')
    const source = 'int answer(void), other(void); int f(void) { return answer() + other(); }'
    const faults = (name: string) => faultsOf(inspect(library(name, source, libtorch, other)))
    expect(faults('spikingrx.glibc.node')).toEqual([
      'needs libtorch_cpu.so, spikingrx.t211.so, which a loader must not',
    ])
    expect(faults('spikingrx_node.t213.so')).toEqual(['needs spikingrx.t211.so, which a binding must not'])
    expect(faults('spikingrx_node.t211.so')).toEqual([])
    expect(faults('spikingrx_kernels.so')).toEqual([
      'needs libtorch_cpu.so, spikingrx.t211.so, which a library of kernels must not',
    ])
  })

  it('finds a symbol of Node in what computes, and allows it in the binding', () => {
    const source = 'int napi_create_object(void); int f(void) { return napi_create_object(); }'
    const faults = (name: string) => faultsOf(inspect(library(name, source)))
    const fault = ['takes napi_create_object from Node; what computes must run without it']
    expect(faults('spikingrx.t213.so')).toEqual(fault)
    expect(faults('spikingrx_cuda.so')).toEqual(fault)
    expect(faults('spikingrx_kernels.so')).toEqual(fault)
    expect(faults('spikingrx_node.t213.so')).toEqual([])
  })

  it('wants one loader, the kernels, and a core with each binding', () => {
    const whole = ['spikingrx.glibc.node', 'spikingrx_kernels.so', 'spikingrx.t213.so', 'spikingrx_node.t213.so']
    expect(faultsOfSet(whole)).toEqual([])
    expect(faultsOfSet(['spikingrx.node', ...whole])).toEqual([
      'holds 2 .node files (spikingrx.node, spikingrx.glibc.node), one is wanted',
    ])
    expect(faultsOfSet([...whole, 'spikingrx.t211.so'])).toEqual(['holds a core but no binding for t211'])
    expect(faultsOfSet([...whole, 'spikingrx_node.t211.so'])).toEqual(['holds a binding but no core for t211'])
    expect(faultsOfSet(whole.filter((name) => name !== 'spikingrx_kernels.so'))).toEqual(['lacks spikingrx_kernels.so'])
    expect(faultsOfSet([])).toEqual([
      'holds 0 .node files (none), one is wanted',
      'holds no core',
      'lacks spikingrx_kernels.so',
    ])
  })

  it('as a program says each fault in a line of its own and fails', () => {
    const place = path.join(folder, 'faulty')
    mkdirSync(place)
    const core = library('spikingrx.t213.so', harmless, '-Wl,-rpath,/opt')
    cpSync(core, path.join(place, 'spikingrx.t213.so'))
    cpSync(core, path.join(place, 'left-over.so'))
    const run = spawnSync(process.execPath, [fileURLToPath(script), place], { encoding: 'utf8' })
    expect(run.status).toBe(1)
    expect(run.stderr.trim().split('\n')).toEqual([
      `${place} holds 0 .node files (none), one is wanted`,
      `${place} lacks spikingrx_kernels.so`,
      `${place} holds a core but no binding for t213`,
      'left-over.so has a search path for libraries: /opt',
      'left-over.so has a name that nothing looks for',
      'spikingrx.t213.so has a search path for libraries: /opt',
    ])
  })
})

/** Compilers up to this one are what native/compat knows; the headers of newer ones call more of libstdc++. */
const compiler = Number(spawnSync('c++', ['-dumpversion'], { encoding: 'utf8' }).stdout.split('.')[0])

it.skipIf(compiler > 12)('the binaries in use ask for no newer glibc and libstdc++ than libtorch does', () => {
  const place = path.dirname(addonFiles().loader)
  const files = readdirSync(place).filter((name) => /\.(node|so)$/.test(name))
  expect(files.length).toBeGreaterThanOrEqual(3)
  const faults = files.flatMap((name) =>
    floorFaultsOf(inspect(path.join(place, name))).map((fault) => `${name} ${fault}`),
  )
  expect(faults).toEqual([])
})
