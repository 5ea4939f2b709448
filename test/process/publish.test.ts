/** scripts/publish.mjs in a checkout of its own, with a program instead of npm that notes what it is asked. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url))
const companion = '@spikingrx/libtorch-cpu-linux-x64'
const folders: string[] = []
let checkout: string

/** `published` versions answer `npm view`; publishing notes its arguments and does nothing. */
const fakeNpm = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync } = require('node:fs')
const [command, what] = process.argv.slice(2)
if (command === 'publish') appendFileSync('published.log', process.argv.slice(2).join(' ') + '\\n')
else if (existsSync('offline')) { console.log('{"error":{"code":"ENOTFOUND","summary":"no network"}}'); process.exit(1) }
else if (existsSync('there') && readFileSync('there', 'utf8').includes(what)) console.log(JSON.stringify(what.split('@').at(-1)))
else { console.log('{"error":{"code":"E404","summary":"not found"}}'); process.exit(1) }
`

const write = (file: string, text: string) => {
  mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true })
  writeFileSync(path.join(checkout, file), text)
}

/** A tarball as `npm pack` makes one: a folder `package/` with a manifest and these files, empty. */
function tarball(name: string, version: string, files: readonly string[]): void {
  const folder = mkdtempSync(path.join(checkout, 'pack-'))
  for (const file of ['package.json', ...files]) {
    mkdirSync(path.dirname(path.join(folder, 'package', file)), { recursive: true })
    writeFileSync(path.join(folder, 'package', file), file === 'package.json' ? JSON.stringify({ name, version }) : '')
  }
  const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
  mkdirSync(path.join(checkout, 'dist-packages'), { recursive: true })
  execFileSync('tar', ['-czf', path.join(checkout, 'dist-packages', file), '-C', folder, 'package'])
}

function publish(...args: readonly string[]) {
  const program = path.join(checkout, 'scripts/publish.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${path.join(checkout, 'bin')}:${process.env.PATH}` },
  })
  let log = ''
  try {
    log = readFileSync(path.join(checkout, 'published.log'), 'utf8')
  } catch {}
  return { status, stdout, stderr, log: log.trim().split('\n').filter(Boolean) }
}

/** The native files of a release, by the list of libtorch versions. */
const shipped = await (async () => {
  const { nativeFiles } = await import(new URL('../../scripts/prepack.mjs', import.meta.url).href)
  const { libtorchVersions } = await import(new URL('../../scripts/libtorch.mjs', import.meta.url).href)
  return (nativeFiles(libtorchVersions) as string[]).map((file) => `prebuilds/linux-x64/${file}`)
})()

beforeEach(() => {
  checkout = mkdtempSync(path.join(tmpdir(), 'spikingrx-publish-'))
  folders.push(checkout)
  cpSync(scripts, path.join(checkout, 'scripts'), { recursive: true })
  write('bin/npm', fakeNpm)
  execFileSync('chmod', ['+x', path.join(checkout, 'bin/npm')])
  write('package.json', JSON.stringify({ name: 'spikingrx', version: '1.2.3', repository: 'github:someone/somewhere' }))
  write('CHANGELOG.md', '# Changelog\n\n## [1.2.3] - 2026-11-22\n')
  tarball('spikingrx', '1.2.3', shipped)
  tarball(companion, '2.13.0', ['lib/libtorch_cpu.so'])
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('packing', () => {
  /** A script as npm runs it for `npm pack`. */
  const script = (text: string) => {
    const args = ['--input-type=module', '--eval', text]
    const env = { ...process.env, npm_command: 'pack', SPIKINGRX_SKIP_BUILD: '' }
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: checkout, encoding: 'utf8', env })
    return { status, stdout, stderr }
  }

  it('builds no native code by surprise', () => {
    rmSync(path.join(checkout, 'scripts/build.mjs'))
    expect(script(`await import('./scripts/prepare.mjs')`)).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  it('is refused while a native file is missing', () => {
    const text = `import { packObstacles } from './scripts/prepack.mjs'\nconsole.log(packObstacles('.').join())`
    for (const file of shipped.slice(1)) write(file, '')
    const lacks = 'prebuilds/linux-x64 lacks spikingrx.t213.so: run `npm run prebuild`\n'
    expect(script(text)).toEqual({ status: 0, stdout: lacks, stderr: '' })
    write(shipped[0]!, '')
    expect(script(text).stdout).toBe('\n')
  })
})

describe('publishing', () => {
  it('takes the companion first, then the main package, with provenance', () => {
    const { status, stderr, log } = publish('--tag', 'v1.2.3')
    expect([status, stderr]).toEqual([0, ''])
    const file = (name: string) => path.join(checkout, 'dist-packages', name)
    expect(log).toEqual([
      `publish ${file('spikingrx-libtorch-cpu-linux-x64-2.13.0.tgz')} --provenance --access public`,
      `publish ${file('spikingrx-1.2.3.tgz')} --provenance --access public`,
    ])
  })

  it('leaves what the registry has as it is, so that it can be run again', () => {
    write('there', `${companion}@2.13.0`)
    const { status, stdout, log } = publish('--tag', 'v1.2.3')
    expect(status).toBe(0)
    expect(stdout).toContain(`${companion}@2.13.0: is on the registry, left as it is`)
    expect(log).toHaveLength(1)
    expect(log[0]).toContain('spikingrx-1.2.3.tgz')
  })

  it('publishes nothing when the registry does not answer', () => {
    write('offline', '')
    const { status, stderr, log } = publish('--tag', 'v1.2.3')
    expect([status, log]).toEqual([1, []])
    expect(stderr).toBe(`spikingrx publish: npm view ${companion}@2.13.0 failed: no network\n`)
  })

  it.each<[string, () => void, string]>([
    ['another tag', () => {}, 'the tag is v1.2.4, package.json says 1.2.3'],
    ['no changelog', () => write('CHANGELOG.md', '## [Unreleased]\n'), 'CHANGELOG.md begins with [Unreleased]'],
    ['no repository', () => write('package.json', '{ "version": "1.2.3" }'), 'package.json names no repository'],
    ['a core missing', () => tarball('spikingrx', '1.2.3', shipped.slice(1)), 'lacks spikingrx.t213.so'],
  ])('is refused with %s', (what, spoil, reason) => {
    spoil()
    const { status, stderr, log } = publish('--tag', what === 'another tag' ? 'v1.2.4' : 'v1.2.3')
    expect([status, log]).toEqual([1, []])
    expect(stderr).toContain(reason)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('keeps a beta from what npm install takes', () => {
    rmSync(path.join(checkout, 'dist-packages/spikingrx-1.2.3.tgz'))
    write('package.json', JSON.stringify({ version: '1.3.0-beta.1', repository: 'github:someone/somewhere' }))
    write('CHANGELOG.md', '## [1.3.0-beta.1] - 2026-11-22\n')
    tarball('spikingrx', '1.3.0-beta.1', shipped)
    const { status, log } = publish('--tag', 'v1.3.0-beta.1')
    expect([status, log.length]).toEqual([0, 2])
    expect(log[1]).toMatch(/1\.3\.0-beta\.1\.tgz --provenance --access public --tag next$/)
    expect(log[0]).not.toContain('--tag')
  })
})
