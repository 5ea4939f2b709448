import { describe, expect, it } from 'vitest'
import { type DoctorReport, doctor, formatDoctor } from '../../lib/runtime/doctor.js'

const healthy: DoctorReport = {
  package: { version: '1.2.3', folder: '/package' },
  node: { version: '20.20.2', wanted: '>=20.19' },
  platform: { system: 'Linux 6', architecture: 'x64', libc: 'glibc 2.36' },
  addon: { loader: '/package/build/Release/spikingrx.node', cores: ['2.13'], plugin: null },
  libtorch: { source: 'cache', root: '/libtorch', libraries: '/libtorch/lib', version: '2.13.0+cpu', build: 'cpu' },
  rejected: [{ place: 'SPIKINGRX_LIBTORCH', reason: 'is not set' }],
  loaded: { libtorch: '2.13.0', core: '1.2.3', parallel: 'OpenMP', threads: 2, computes: true, cudaFailure: 'CPU' },
  cuda: { driver: null, gpus: [], usable: [], problem: 'the libtorch in use is a CPU build', fix: null },
  processors: { count: 2, model: 'A processor' },
  memory: { total: 2 ** 34, free: 2 ** 33 },
  problems: [],
}

describe('formatDoctor', () => {
  it('prints one line a fact', () => {
    expect(formatDoctor(healthy).split('\n')).toEqual([
      'spikingrx  1.2.3 in /package',
      'Node       20.20.2 (wanted >=20.19)',
      'platform   Linux 6 x64, glibc 2.36',
      'addon      /package/build/Release/spikingrx.node, cores for libtorch 2.13',
      'libtorch   2.13.0+cpu (cpu, from the cache) in /libtorch',
      '           passed over: SPIKINGRX_LIBTORCH is not set',
      'loaded     libtorch 2.13.0, core 1.2.3',
      'CUDA       none usable: the libtorch in use is a CPU build',
      'threads    2 of 2 processors (A processor)',
      'memory     8.0 GiB free of 16.0 GiB',
      '',
      'No problems found.',
    ])
  })

  it('says what to do about a GPU that can not be used', () => {
    const cuda = {
      driver: '580.65 (CUDA 13.0)',
      gpus: ['A GPU'],
      usable: [],
      problem: 'the libtorch in use is a CPU build',
      fix: 'Run `npx spikingrx setup --cuda`',
    }
    expect(formatDoctor({ ...healthy, cuda }).split('\n')[7]).toBe(
      'CUDA       none usable: the libtorch in use is a CPU build (Run `npx spikingrx setup --cuda`); driver 580.65 (CUDA 13.0) with A GPU',
    )
  })

  it('ends with what to do', () => {
    const text = formatDoctor({
      ...healthy,
      loaded: null,
      problems: [{ what: 'no core', fix: 'npm run build:native' }],
    })
    expect(text).toContain('loaded     no\n')
    expect(text.endsWith('problem    no core\n  to do    npm run build:native')).toBe(true)
  })
})

describe('doctor', () => {
  it('finds this machine in order, with libtorch loaded', () => {
    const report = doctor()
    expect(report.problems).toEqual([])
    expect(report.node.version).toBe(process.versions.node)
    const minor = report.loaded?.libtorch.split('.').slice(0, 2).join('.')
    expect(report.addon?.cores).toContain(minor)
    expect(report.libtorch?.version?.startsWith(`${minor}.`)).toBe(true)
    expect(report.loaded?.threads).toBeGreaterThan(0)
    expect(report.loaded?.computes).toBe(true)
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })
})
