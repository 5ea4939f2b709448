import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runtime } from '../../lib/runtime/addon.js'
import { fakeTorchWheel, sha256 } from '../zip-archive.js'
import { spikingrx } from './cli-program.js'
import { htmlIndex, sendPart, serve } from './setup-server.js'

const name = 'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl'
const { libtorch } = runtime()

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-setup-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Links to those files of the libtorch in use that computing on the CPU takes; `replaced` by others. */
function linkedLibtorch(place: string, replaced: Readonly<Record<string, string>> = {}): string {
  const root = path.join(folder, place)
  mkdirSync(path.join(root, 'lib'), { recursive: true })
  for (const file of readdirSync(libtorch.libraries).filter((one) =>
    /^lib(c10|torch_cpu|gomp.*|iomp5|openblas.*|gfortran.*)\.so/.test(one),
  ))
    symlinkSync(path.join(libtorch.libraries, replaced[file] ?? file), path.join(root, 'lib', file))
  writeFileSync(path.join(root, 'build-version'), `${libtorch.version ?? '2.13.0+cpu'}\n`)
  return root
}

describe('spikingrx setup', () => {
  it.skipIf(libtorch.build === 'cuda')(
    'takes a folder, loads and computes with the copy, and is done the next time',
    async () => {
      const cache = path.join(folder, 'cache')
      const environment = { XDG_CACHE_HOME: cache, SPIKINGRX_LIBTORCH: '' }
      const { code, stdout, stderr } = await spikingrx(
        ['setup', '--cpu', '--from', linkedLibtorch('whole'), '--json'],
        { environment },
      )
      expect([code, stderr]).toEqual([0, 'loading it in a process of its own'])
      const result = JSON.parse(stdout)
      const home = path.join(cache, 'spikingrx', `libtorch-${libtorch.version?.split('+')[0]}-cpu`)
      expect(result).toMatchObject({
        status: 'ready',
        folder: home,
        verified: { libtorch: runtime().native.versions().libtorch },
      })
      expect(readdirSync(path.join(cache, 'spikingrx'))).toEqual([path.basename(home)])

      const doctor = await spikingrx(['doctor', '--json'], { environment })
      expect(JSON.parse(doctor.stdout)).toMatchObject({
        libtorch: { source: 'cache', root: path.join(home, 'torch') },
        problems: [],
      })
      expect(doctor.code).toBe(0)

      const again = await spikingrx(['setup', '--cpu'], { environment })
      expect(again).toMatchObject({ code: 0, stderr: '' })
      expect(again.stdout).toBe(
        `libtorch ${libtorch.version} (CPU build) is set up already in ${home}; loaded and computed with.`,
      )
    },
  )

  it('takes no libtorch that does not load: the error says why, the cache stays empty', async () => {
    const cache = path.join(folder, 'refused')
    const broken = linkedLibtorch('broken', { 'libtorch_cpu.so': 'libc10.so' })
    const { code, stderr } = await spikingrx(['setup', '--cpu', '--from', broken], {
      environment: { XDG_CACHE_HOME: cache },
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^spikingrx setup: libtorch in \S+ can't be used: libtorch older than 2\.5 [^\n]* \[ERR_SETUP_VERIFY\]$/,
    )
    expect(readdirSync(path.join(cache, 'spikingrx'))).toEqual([])
  })

  it('says what it would fetch, as text and as JSON', async () => {
    const wheel = fakeTorchWheel()
    await using server = await serve({ pages: { '/simple/torch/': htmlIndex({ [name]: sha256(wheel) }) } })
    const args = ['setup', '--cpu', '--mirror', `${server.address}/simple`, '--dry-run']
    const environment = { XDG_CACHE_HOME: folder, NO_PROXY: '*' }
    const text = await spikingrx(args, { environment })
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(text.stdout.split('\n')).toEqual([
      `Would set up libtorch 2.13.0 (CPU build) in ${path.join(folder, 'spikingrx/libtorch-2.13.0-cpu')}`,
      `from wheel of ${server.address}/simple`,
      `  ${name}`,
      `    ${server.address}/files/${encodeURIComponent(name)}`,
      `    sha256 ${sha256(wheel)}`,
    ])
    const { stdout } = await spikingrx([...args, '--json'], { environment })
    expect(JSON.parse(stdout)).toMatchObject({ status: 'planned', build: 'cpu', version: '2.13.0', files: [{ name }] })
  })

  it('stops at Ctrl-C with 130 and says how to go on', async () => {
    const wheel = fakeTorchWheel({ padding: 1 << 20 })
    await using server = await serve({
      files: { [name]: wheel },
      pages: { '/simple/torch/': htmlIndex({ [name]: sha256(wheel) }) },
      misbehave: (_request, response, file) => {
        sendPart(response, file, 1 << 19, 'stall')
        return true
      },
    })
    const cache = path.join(folder, 'stopped')
    const { code, stdout, stderr } = await spikingrx(['setup', '--cpu', '--mirror', `${server.address}/simple`], {
      environment: { XDG_CACHE_HOME: cache, NO_PROXY: '*' },
      line: (line, interrupt) => {
        if (line.startsWith('downloading')) setTimeout(interrupt, 300)
      },
    })
    expect([code, stderr]).toEqual([130, ''])
    expect(stdout.split('\n').slice(-2)).toEqual([
      'stopping; what was downloaded is kept',
      'Stopped. To go on, run the same command again: npx spikingrx setup',
    ])
    const parts = readdirSync(path.join(cache, 'spikingrx'), { recursive: true }).map(String)
    expect(parts.filter((one) => one.endsWith('.part'))).toHaveLength(1)
    expect(parts.filter((one) => one.endsWith('.lock') || one.includes('.part-'))).toEqual([])
  })

  it.each([
    [['--cpu', '--cuda'], '--cpu and --cuda exclude each other'],
    [['--pip', '--from', 'x.whl'], '--pip and --from exclude each other'],
    [
      ['--mirror', 'ftp://example.org'],
      '--mirror must be an address with http:// or https://, got "ftp://example.org"',
    ],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await spikingrx(['setup', ...args], { environment: { XDG_CACHE_HOME: folder } })
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `spikingrx setup: ${message} (see spikingrx setup --help) [ERR_USAGE]`,
    })
  })

  it('refuses a driver that is too old for the CUDA build, and names it', async () => {
    const programs = path.join(folder, 'programs')
    mkdirSync(programs)
    const answer = 'case "$1" in --query*) echo "535.54.03, Old GPU";; *) echo "| CUDA Version: 12.2 |";; esac'
    writeFileSync(path.join(programs, 'nvidia-smi'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 })
    const environment = { XDG_CACHE_HOME: folder, PATH: `${programs}:${process.env.PATH}` }
    const { code, stderr } = await spikingrx(['setup', '--cuda'], { environment })
    expect(code).toBe(1)
    expect(stderr).toBe(
      "spikingrx setup: the NVIDIA driver 535.54.03 (CUDA 12.2) is too old for libtorch's CUDA 13.0 build: update it to 580 or newer, or use --cpu [ERR_SETUP_DRIVER]",
    )
    const doctor = await spikingrx(['doctor', '--json'], { environment: { PATH: environment.PATH } })
    expect(JSON.parse(doctor.stdout).cuda).toMatchObject({
      driver: '535.54.03 (CUDA 12.2)',
      gpus: ['Old GPU'],
      usable: [],
    })
  })

  it('fetches nothing on musl', async () => {
    const musl = `data:text/javascript,${encodeURIComponent('process.report.getReport = () => ({ header: {} })')}`
    const { code, stdout, stderr } = await spikingrx(['setup'], { imports: [musl] })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^spikingrx setup: libtorch can't run here: this Node runs on musl libc .* \[ERR_PLATFORM\]$/,
    )
  })

  it('describes itself', async () => {
    const { code, stdout } = await spikingrx(['setup', '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /usage: spikingrx setup \[options\].*--cpu.*--cuda.*--from SOURCE.*--pip.*--mirror URL.*--dry-run.*--json.*130/s,
    )
  })
})
