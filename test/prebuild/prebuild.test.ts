import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addonFiles } from '../../lib/runtime/files.js'

const from = (name: string) => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href)
const { requestOf } = (await from('cmake-js-as-node-gyp')) as { requestOf(args: string[], versions?: string): string[] }
const { versionsOf } = (await from('prebuild')) as { versionsOf(minors: string): string[] }
const { tagOf } = (await from('build')) as { tagOf(version: string): string }
const { libtorchVersions } = (await from('libtorch')) as { libtorchVersions: string[] }

const rebuild = ['rebuild', '--target=20.19.0', '--devdir=/tmp/prebuildify/node']

describe("what stands in for node-gyp under prebuildify's hands", () => {
  it('takes the versions of libtorch in order, for this machine', () => {
    const args = [...rebuild, `--arch=${process.arch}`, '--release']
    expect(requestOf(args, '2.13.0,2.11.0')).toEqual(['2.13.0', '2.11.0'])
    expect(requestOf(rebuild, '2.13.0')).toEqual(['2.13.0'])
  })

  it.each([
    [['configure'], 'expected prebuildify\'s "rebuild", got "configure"'],
    [[...rebuild, '--arch=mips'], `libtorch is linked for this machine: --arch=${process.arch} only, not mips`],
    [[...rebuild, '--debug'], 'prebuilt binaries are release builds: not --debug'],
    [[...rebuild, '--runtime=electron'], 'prebuilt binaries are for Node, not electron'],
  ])('refuses %j', (args, message) => {
    expect(() => requestOf(args, '2.13.0')).toThrow(message)
  })

  it('refuses to guess the versions', () => {
    expect(() => requestOf(rebuild)).toThrow('SPIKINGRX_VERSIONS names no version of libtorch')
  })
})

describe('the minors of libtorch', () => {
  it('begin with 2.13 and hold 2.11, each once', () => {
    expect(versionsOf('2.13,2.11')).toEqual(['2.13.0', '2.11.0'])
    expect(libtorchVersions[0]).toBe('2.13.0')
    expect(new Set(libtorchVersions.map(tagOf)).size).toBe(libtorchVersions.length)
  })

  it('can be chosen; another is refused with those there are', () => {
    expect(versionsOf('2.11')).toEqual(['2.11.0'])
    expect(() => versionsOf('2.13,2.4')).toThrow('--minors 2.4: supported are 2.13, 2.11 (scripts/libtorch.mjs)')
  })

  it('are tagged as in the names of the files', () => {
    expect([tagOf('2.13.0'), tagOf('2.9.1')]).toEqual(['t213', 't29'])
  })
})

describe('which binaries are taken', () => {
  let folder: string
  const shipped = [
    'spikingrx.glibc.node',
    'spikingrx_kernels.so',
    'spikingrx.t211.so',
    'spikingrx_node.t211.so',
    'spikingrx_cuda.so',
  ]
  const put = (place: string, names: readonly string[]) => {
    mkdirSync(path.join(folder, place), { recursive: true })
    for (const name of names) writeFileSync(path.join(folder, place, name), '')
  }
  const prebuilds = `prebuilds/linux-${process.arch}`

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-prebuild-'))
    writeFileSync(path.join(folder, 'package.json'), '{ "name": "spikingrx" }')
    put(prebuilds, shipped)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('the prebuilt ones where nothing is built, with all that lies beside the loader', () => {
    const files = addonFiles(folder)
    expect(files.loader).toBe(path.join(folder, prebuilds, 'spikingrx.glibc.node'))
    expect([...files.cores.keys()]).toEqual(['2.11'])
    expect(files.kernels).toBe(path.join(folder, prebuilds, 'spikingrx_kernels.so'))
    expect(files.plugin).toBe(path.join(folder, prebuilds, 'spikingrx_cuda.so'))
  })

  it('none on musl, for which there is no libtorch', () => {
    const { resolve } = createRequire(import.meta.url)
    const program = `try { require(${JSON.stringify(resolve('node-gyp-build'))}).resolve(${JSON.stringify(folder)}) } catch (error) { console.log(error.message.split('\\n')[0]) }`
    const env = { ...process.env, LIBC: 'musl' }
    const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env })
    expect(stdout).toMatch(/^No native build was found for .*libc=musl/)
  })

  it.skipIf(process.env.PREBUILDS_ONLY === '1')('the local build where there is one', () => {
    put('build/Release', ['spikingrx.node', 'spikingrx.t213.so', 'spikingrx_node.t213.so'])
    const files = addonFiles(folder)
    expect(files.loader).toBe(path.join(folder, 'build/Release/spikingrx.node'))
    expect([...files.cores.keys()]).toEqual(['2.13'])
    expect(files.plugin).toBeNull()
  })
})

it('`npm run build` does not make a release on the way, though npm runs `prebuild` before it', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'spikingrx-hook-'))
  try {
    const program = new URL('../../scripts/prebuild.mjs', import.meta.url).pathname
    // An option it refuses at once: then it is seen whether it went to work.
    const scripts = { prebuild: `node "${program}" --refused`, build: 'echo built' }
    writeFileSync(path.join(place, 'package.json'), JSON.stringify({ name: 'hook', version: '1.0.0', scripts }))
    const { npm_lifecycle_event: _, npm_command: __, ...env } = process.env
    const run = (script: string) => spawnSync('npm', ['run', '--silent', script], { cwd: place, encoding: 'utf8', env })
    const built = run('build')
    expect([built.status, built.stdout.trim(), built.stderr.includes('prebuild:')]).toEqual([0, 'built', false])
    const made = run('prebuild')
    expect(made.status).toBe(1)
    expect(made.stderr).toContain('spikingrx prebuild: unknown option --refused: --minors 2.13,2.11 or nothing')
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})
