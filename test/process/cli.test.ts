import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spikingrx } from './cli-program.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikingrx-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Tells on standard error what was loaded: `module <url>`, `library <path>`. */
const probe = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs'
  import { register } from 'node:module'
  register('data:text/javascript,' + encodeURIComponent(
    "import { writeSync } from 'node:fs'; export const load = (url, context, next) => { writeSync(2, 'module ' + url + '\\\\n'); return next(url, context) }"
  ))
  process.on('exit', () => {
    for (const path of process.report.getReport().sharedObjects) writeSync(2, 'library ' + path + '\\n')
  })
`)}`

describe('help', () => {
  it('lists the commands and the exit codes', async () => {
    const { code, stdout, stderr } = await spikingrx(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const name of ['train', 'evaluate', 'predict', 'info', 'serve', 'doctor', 'study', 'receiver', 'demo']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, 'm'))
    }
    expect(stdout).toMatch(/^ {2}130 {2}interrupted/m)
  })

  it('is there without libtorch, Vega and the rest', async () => {
    const loaded = (args: readonly string[]) => spikingrx(args, { imports: [probe] })
    const [overview, train, doctor] = await Promise.all([
      loaded(['--help']),
      loaded(['train', '--help']),
      loaded(['doctor']),
    ])
    for (const { code, stderr } of [overview, train]) {
      expect(code).toBe(0)
      expect(stderr).toContain('/lib/cli/main.ts')
      expect(stderr).not.toMatch(/^library .*(libtorch|libc10|spikingrx)/m)
      expect(stderr).not.toMatch(/^module .*(vega|resvg|cli-progress|fast-png)/m)
    }
    expect(overview.stderr).not.toContain('/lib/model/')
    // The probe does see what is loaded.
    expect(doctor.stderr).toMatch(/^library .*libtorch_cpu/m)
  })

  it('describes every command', async () => {
    const expected: Record<string, RegExp> = {
      train: /usage: spikingrx train <mnist\|fashion-mnist> \[options\].*--model sew\|conv\|mlp.*--resume/s,
      evaluate: /usage: spikingrx evaluate <checkpoint> \[options\].*--dataset mnist\|fashion-mnist/s,
      predict: /usage: spikingrx predict <checkpoint> <image> \[options\].*--top N/s,
      info: /usage: spikingrx info <checkpoint> \[options\]/,
      serve: /usage: spikingrx serve \[folder\] \[options\].*--demo.*--model-control.*--drain SECONDS/s,
      doctor: /usage: spikingrx doctor \[options\].*--json/s,
      demo: /usage: spikingrx demo <lif\|conv\|norm\|sew> \[options\].*--seed N/s,
    }
    const describe = async ([name, text]: [string, RegExp]): Promise<void> => {
      const { code, stdout } = await spikingrx([name, '--help'])
      expect(code).toBe(0)
      expect(stdout).toMatch(text)
    }
    await Promise.all(Object.entries(expected).map(describe))
  })

  it('tells the version', async () => {
    const { code, stdout } = await spikingrx(['--version'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+$/)
  })
})

describe('mistakes', () => {
  it.each([
    [['trian', 'mnist'], 'spikingrx: unknown command "trian"; did you mean train? (see spikingrx --help) [ERR_USAGE]'],
    [
      ['train', 'mnist', '--epohcs', '3'],
      'spikingrx train: unknown option --epohcs; did you mean --epochs? (see spikingrx train --help) [ERR_USAGE]',
    ],
    [['info', 'a', 'b'], 'spikingrx info: unexpected argument "b" (see spikingrx info --help) [ERR_USAGE]'],
  ])('in the command line end with 2: %j', async (args, message) => {
    const { code, stdout, stderr } = await spikingrx(args)
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: message })
  })

  it('without a command show the help, and end with 2', async () => {
    const { code, stdout, stderr } = await spikingrx([])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^usage: spikingrx <command>/)
  })

  it('in the data are told on one line and end with 1; SPIKINGRX_DEBUG=1 shows the stack', async () => {
    const quiet = await spikingrx(['info', 'missing.safetensors'], { cwd: folder })
    expect(quiet.code).toBe(1)
    expect(quiet.stderr).toMatch(/^spikingrx info: missing\.safetensors [^\n]+ \[ERR_CHECKPOINT_MISSING\]$/)
    const loud = await spikingrx(['info', 'missing.safetensors'], {
      cwd: folder,
      environment: { SPIKINGRX_DEBUG: '1' },
    })
    expect(loud.stderr).toMatch(/\n {4}at /)

    await writeFile(join(folder, 'damaged.safetensors'), 'no such thing as a header')
    const damaged = await spikingrx(['info', 'damaged.safetensors'], { cwd: folder })
    expect(damaged.code).toBe(1)
    expect(damaged.stderr).toMatch(/^spikingrx info: damaged\.safetensors [^\n]+ \[ERR_CHECKPOINT_\w+\]$/)
  })

  it('leave no folder of a run behind', async () => {
    const { code, stderr } = await spikingrx(['train', 'mnist', '--data', 'nowhere'], { cwd: folder })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^spikingrx train: MNIST was not found[^\n]+ --data or [^\n]+ \[ERR_DATA_MISSING\]$/)
    expect(await readdir(folder)).not.toContain('runs')
  })
})

it('doctor reports what was found, as text and as JSON', async () => {
  const text = await spikingrx(['doctor'])
  expect(text.code).toBe(0)
  expect(text.stdout).toMatch(/^Node +20|^Node +2\d/m)
  const { code, stdout } = await spikingrx(['doctor', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ node: { version: process.versions.node }, problems: [] })
})

it('doctor ends with 1 where libtorch is not found', async () => {
  const environment = { SPIKINGRX_LIBTORCH: join(folder, 'nothing') }
  const { code, stdout } = await spikingrx(['doctor', '--json'], { environment })
  const { problems } = JSON.parse(stdout)
  expect(code).toBe(1)
  expect(problems[0].what).toContain('SPIKINGRX_LIBTORCH')
})

it('demo shows a module: figures, pictures, the same ones for the same seed', async () => {
  const { code, stdout } = await spikingrx(['demo', 'lif', '--out', 'lif', '--seed', '3'], { cwd: folder })
  expect(code).toBe(0)
  expect(stdout).toContain('LIF neuron: β 0.9, θ 0.5')
  expect((await readdir(join(folder, 'lif'))).sort()).toEqual(['lif.png', 'lif.svg'])
  const again = await spikingrx(['demo', 'lif', '--out', 'lif', '--seed', '3'], { cwd: folder })
  expect(again.stdout).toBe(stdout)
})
