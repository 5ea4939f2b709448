import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runtime } from '../../lib/runtime/addon.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-load-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a TypeScript program in a process of its own; {lib} in it is the source folder, {tsx} what compiles it. */
function run(program: string, environment: Record<string, string> = {}) {
  const file = path.join(folder, `program-${Math.random().toString(36).slice(2)}.mts`)
  writeFileSync(
    file,
    program.replaceAll('{lib}', path.join(root, 'lib')).replaceAll('{tsx}', import.meta.resolve('tsx/esm/api')),
  )
  const { SPIKINGRX_LIBTORCH: _, SPIKINGRX_PYTHON_TORCH: __, ...inherited } = process.env
  const args = ['--import', import.meta.resolve('tsx'), file]
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...inherited, ...environment }, timeout: 60_000 })
}

const report = `
import { native } from '{lib}/runtime/addon.ts'
try {
  native()
} catch (error) {
  console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message }))
  process.exitCode = 3
}`

/** A folder of libraries that are none. */
function fakeLibtorch(name: string, version: string): string {
  const fake = path.join(folder, name)
  mkdirSync(path.join(fake, 'lib'), { recursive: true })
  for (const library of ['c10', 'torch_cpu']) writeFileSync(path.join(fake, 'lib', `lib${library}.so`), 'no library\n')
  writeFileSync(path.join(fake, 'version.py'), `__version__ = '${version}'\n`)
  return fake
}

describe('loading in a process of its own', () => {
  it('lists every place when there is no libtorch, and exits by itself', () => {
    const { status, signal, stdout, stderr } = run(report, { XDG_CACHE_HOME: folder, SPIKINGRX_LIBTORCH: '/nowhere' })
    expect([status, signal, stderr]).toEqual([3, null, ''])
    const { name, code, message } = JSON.parse(stdout)
    expect([name, code]).toEqual(['LibtorchNotFoundError', 'ERR_LIBTORCH_NOT_FOUND'])
    expect(message.split('\n')).toEqual([
      'libtorch was not found. Looked at:',
      '  - SPIKINGRX_LIBTORCH=/nowhere no such folder',
      `  - package @spikingrx/libtorch-cpu-${process.platform}-${process.arch} is not installed`,
      `  - cache ${path.join(folder, 'spikingrx')} holds no libtorch-* folder`,
      "  - Python's torch is used only with SPIKINGRX_PYTHON_TORCH=1",
      'Run `npm run build`, which fetches it.',
    ])
  })

  it('names the version found and the one it has a core for', () => {
    const old = fakeLibtorch('old', '2.4.1')
    const { status, stdout } = run(report, { XDG_CACHE_HOME: folder, SPIKINGRX_LIBTORCH: old })
    expect(status).toBe(3)
    const { name, code, message } = JSON.parse(stdout)
    expect([name, code]).toEqual(['LibtorchVersionError', 'ERR_LIBTORCH_VERSION'])
    expect(message).toMatch(/^libtorch 2\.4\.1 was found, but this package has a core for libtorch (2\.\d+, )*2\.13\./)
  })

  it('says why libraries that are none are not opened, and names the command that replaces them', () => {
    const rubbish = fakeLibtorch('rubbish', '2.13.0')
    const { status, signal, stdout } = run(report, { XDG_CACHE_HOME: folder, SPIKINGRX_LIBTORCH: rubbish })
    expect([status, signal]).toEqual([3, null])
    const { code, message } = JSON.parse(stdout)
    expect(code).toBe('ERR_LIBTORCH_NOT_FOUND')
    expect(message).toContain(`\n  - SPIKINGRX_LIBTORCH=${rubbish} lib/libc10.so is no ELF library\n`)
    expect(message).toMatch(/\nRun `npx spikingrx setup`, which fetches it\.$/)
  })

  it('takes the next place where half a library lies, without opening it', () => {
    const half = fakeLibtorch('half', '2.13.0')
    const { libraries } = runtime().libtorch
    for (const name of ['libc10.so', 'libtorch_cpu.so']) {
      const whole = openSync(path.join(libraries, name), 'r')
      const bytes = Buffer.alloc(1 << 20)
      writeFileSync(path.join(half, 'lib', name), bytes.subarray(0, readSync(whole, bytes)))
      closeSync(whole)
    }
    const { status, signal, stdout, stderr } = run(report, { SPIKINGRX_LIBTORCH: half })
    expect([status, signal, stdout]).toEqual([0, null, ''])
    expect(stderr).toMatch(/SPIKINGRX_LIBTORCH=\S+ lib\/libc10\.so is cut off: 1048576 bytes of at least \d+; using /)
  })

  it.skipIf(process.getuid?.() !== 0)('tells a folder that may not be read from none', () => {
    const closed = fakeLibtorch('closed/libtorch', '2.13.0')
    const cache = path.join(folder, 'closed-cache')
    mkdirSync(cache)
    chmodSync(folder, 0o755)
    chmodSync(path.dirname(closed), 0o700)
    const program = `
import { locateLibtorch, searchContext } from '{lib}/runtime/locate.ts'
process.setegid(65534)
process.seteuid(65534)
console.log(JSON.stringify(locateLibtorch(searchContext(['2.13'])).rejected))`
    const { stdout } = run(program, { XDG_CACHE_HOME: cache, SPIKINGRX_LIBTORCH: closed })
    expect(JSON.parse(stdout)[0]).toEqual({
      place: `SPIKINGRX_LIBTORCH=${closed}`,
      reason: "can't be read: permission denied",
    })
  })

  it('names musl where the native files are for glibc', () => {
    const { status, stdout } = run(
      `
process.report.getReport = () => ({ header: {} })
process.env.LIBC = 'musl'
const { addonFiles } = await import('{lib}/runtime/files.ts')
try {
  addonFiles('{lib}')
} catch (error) {
  console.log(JSON.stringify([error.code, error.message, error.cause.code]))
  process.exitCode = 3
}`,
      {},
    )
    expect(status).toBe(3)
    const [code, message, cause] = JSON.parse(stdout)
    expect([code, cause]).toEqual(['ERR_PLATFORM', 'ERR_ADDON_NOT_FOUND'])
    expect(message).toMatch(
      /^spikingrx can't run here: this Node runs on musl libc .* libtorch needs glibc 2\.28 or newer: use a Node/,
    )
  })

  it('warns when SPIKINGRX_LIBTORCH is set but not taken', () => {
    const { status, stderr } = run(report, { SPIKINGRX_LIBTORCH: '/nowhere' })
    expect(status).toBe(0)
    expect(stderr).toContain('SpikingRxWarning: SPIKINGRX_LIBTORCH=/nowhere no such folder; using ')
  })

  it("says what device 'auto' is once, to NODE_DEBUG=spikingrx, and the model tells why", () => {
    const program = `
import { Model, snn } from '{lib}/index.ts'
const spec = snn({ input: [2], steps: 2 }).linear(2).lif().classifier(2)
const models = [await Model.create(spec), await Model.create(spec, { device: 'auto' }), await Model.create(spec, { device: 'cpu' })]
console.log(JSON.stringify(models.map(({ device, deviceReason }) => [device, deviceReason])))`
    const { status, stdout, stderr } = run(program, { NODE_DEBUG: 'spikingrx' })
    expect(status).toBe(0)
    const [first, second, third] = JSON.parse(stdout)
    expect(second).toEqual(first)
    expect(third).toEqual(['cpu', 'asked for'])
    expect(stderr.match(/SPIKINGRX \d+: device 'auto' is .*/g)).toEqual([
      expect.stringMatching(new RegExp(`device 'auto' is ${first[0]}: `)),
    ])
    expect(stderr).toContain(first[1])
  })

  it.skipIf(runtime().libtorch.build === 'cuda')("says what 'cuda' lacks, and what was found", () => {
    const programs = path.join(folder, 'programs')
    mkdirSync(programs)
    const answer = 'case "$1" in --query*) echo "580.65.06, A GPU";; *) echo "| CUDA Version: 13.0 |";; esac'
    writeFileSync(path.join(programs, 'nvidia-smi'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 })
    const program = `
import { Model, snn } from '{lib}/index.ts'
const spec = snn({ input: [2], steps: 2 }).linear(2).lif().classifier(2)
const { name, code, message, details } = await Model.create(spec, { device: 'cuda' }).catch((error) => error)
console.log(JSON.stringify({ name, code, message, details }))`
    const { root: libtorch, version } = runtime().libtorch
    const { status, stdout } = run(program, {
      PATH: `${programs}:${process.env.PATH}`,
      SPIKINGRX_LIBTORCH: libtorch,
    })
    expect(status).toBe(0)
    const { name, code, message, details } = JSON.parse(stdout)
    expect([name, code]).toEqual(['DeviceError', 'ERR_DEVICE'])
    expect(message).toMatch(
      /^device 'cuda' is not there: the libtorch in use is a CPU build\. Found: NVIDIA driver 580\.65\.06 \(CUDA 13\.0\), libtorch /,
    )
    expect(message).toContain(`libtorch ${version} (CPU build), no CUDA runtime, `)
    expect(message).toMatch(/\. Run `npx spikingrx setup --cuda`, or use 'cpu' or 'auto'$/)
    expect(details).toMatchObject({
      device: 'cuda',
      missing: 'the libtorch in use is a CPU build',
      driver: { version: '580.65.06', cuda: '13.0', gpus: ['A GPU'] },
      libtorch: { version, build: 'cpu' },
      cudaRuntime: null,
    })
  })

  it('loads libtorch on first use, not on import', () => {
    const { status, stdout, stderr } = run(`
import { readFileSync } from 'node:fs'
import * as spikingrx from '{lib}/index.ts'
import { native } from '{lib}/runtime/addon.ts'
const mapped = () => readFileSync('/proc/self/maps', 'utf8').includes('libtorch_cpu')
const before = mapped()
native()
console.log(Object.keys(spikingrx).length > 0, before, mapped())`)
    expect([stderr, stdout, status]).toEqual(['', 'true false true\n', 0])
  })

  it('loads in the main thread and in workers, which may be terminated', () => {
    const { status, signal, stdout, stderr } = run(`
import { once } from 'node:events'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { native } from '{lib}/runtime/addon.ts'
const three = () => native().tensorInfo(native().tensorFrom(new Float32Array(3), [3], 'float32')).shape
if (isMainThread) {
  const start = \`import('{tsx}').then(({ register }) => { register(); return import('\${import.meta.url}') })\`
  const shapes = [three()]
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(start, { eval: true })
    shapes.push(...(await once(worker, 'message')))
    await worker.terminate()
  }
  console.log(JSON.stringify(shapes), JSON.stringify(three()))
} else {
  parentPort.postMessage(three())
  setInterval(() => {}, 1000)
}`)
    expect([stderr, stdout]).toEqual(['', '[[3],[3],[3],[3]] [3]\n'])
    expect([status, signal]).toEqual([0, null])
  })
})
