import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { beforeAll, describe, expect, it } from 'vitest'
import { companionName, type Packed, packed, packing } from './project.js'

let made: Packed
let manifest: Record<string, unknown> & {
  scripts: Record<string, string>
  exports: Record<string, object>
  bin: Record<string, string>
}
beforeAll(async () => {
  made = await packed()
  manifest = JSON.parse(await readFile(path.join(made.project, 'node_modules/spikingrx/package.json'), 'utf8'))
}, packing)

describe('the tarball', () => {
  it('holds what users need and nothing else', () => {
    const entries = [
      ...Object.values(manifest.exports).flatMap((entry) => Object.values(entry)),
      ...Object.values(manifest.bin),
    ]
    expect(entries).toContain('./dist/require/index.js')
    const kinds = [
      /^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/,
      new RegExp(`^(${entries.join('|').replaceAll('./', '').replaceAll('.', '\\.')})$`),
      /^dist\/chunks\/[\w-]+\.js$|^dist\/require\/package\.json$/,
      /^dist\/serve\/instance-worker\.js$/,
      /^dist\/(require\/)?(?!cli|plot|demo)([\w-]+\/)*[\w-]+\.d\.ts$/,
      /^dist\/serve\/page\/[\w-]+\.(html|css|js|svg)$/,
      /^prebuilds\/linux-x64\/spikingrx\.glibc\.node$/,
      /^models\/demo\/digits\/1\/model\.safetensors$/,
      /^models\/receiver\/tiny\/model\.safetensors$/,
      /^prebuilds\/linux-x64\/spikingrx(_node)?\.t\d+\.so$|^prebuilds\/linux-x64\/spikingrx_(kernels|cuda)\.so$/,
    ]
    const names = made.manifest.files.map((file) => file.path)
    expect(names.filter((name) => !kinds.some((kind) => kind.test(name)))).toEqual([])
    // Each kind is there, so that none of the patterns has gone stale.
    for (const kind of kinds) expect(names.find((name) => kind.test(name))).toBeDefined()
    expect(names.filter((name) => name.endsWith('.node'))).toHaveLength(1)
  })

  it('is at most 3 MB, and 10 MB installed', () => {
    expect(made.manifest.size).toBeGreaterThan(200_000)
    expect(made.manifest.size).toBeLessThanOrEqual(3_000_000)
    expect(made.manifest.unpackedSize).toBeLessThanOrEqual(10_000_000)
  })

  it('holds native files that run wherever libtorch does, a binding for each core', async () => {
    // What runs on older systems too is asked of a release; a checkout's compiler may be newer than those.
    const check = new URL('../../scripts/check-binaries.mjs', import.meta.url).href
    const folder = path.join(made.project, 'node_modules/spikingrx/prebuilds/linux-x64')
    const options = JSON.stringify({ portable: Boolean(process.env.SPIKINGRX_TARBALL) })
    const text = `import { checkBinaries } from '${check}'\ncheckBinaries(${JSON.stringify(folder)}, ${options})`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^spikingrx\.t\d+\.so +\d/m)
  })

  it('runs nothing when it is installed', () => {
    expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
    expect(manifest).not.toHaveProperty('gypfile')
  })

  it('may run the program and need not run the libraries', () => {
    const mode = (name: string) => made.manifest.files.find((file) => file.path === name)?.mode
    expect(mode('dist/cli/main.js')).toBe(0o755)
    expect(mode('dist/index.js')).toBe(0o644)
  })

  it('does not ask for libtorch: that is the choice of whoever installs it', () => {
    for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies'])
      expect(Object.keys(manifest[kind] ?? {})).not.toContain(companionName)
  })
})

describe('its entries', () => {
  it('have types that fit what node finds, for every way to resolve them', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(await readFile(made.tarball)))
    expect(analysis.types).toMatchObject({ kind: 'included' })
    if (!analysis.types) throw new Error('unreachable')
    // node10, which TypeScript 7 no longer has, knows no subpaths.
    const { problems = [] } = analysis as {
      problems?: readonly { kind: string; resolutionKind?: string; entrypoint?: string }[]
    }
    const beyond = problems.filter(
      ({ kind, resolutionKind, entrypoint }) =>
        !(kind === 'NoResolution' && resolutionKind === 'node10' && entrypoint !== '.'),
    )
    expect(beyond).toEqual([])
    // It did look: each entry resolved in each mode, and to a file of the module kind that node takes it for.
    const { entrypoints } = analysis as { entrypoints: Record<string, { resolutions: Record<string, unknown> }> }
    expect(Object.keys(entrypoints)).toEqual(Object.keys(manifest.exports))
    const file = (mode: string) => entrypoints['.']?.resolutions[mode]
    const types = (name: string) => ({ resolution: { fileName: `/node_modules/spikingrx/dist/${name}.d.ts` } })
    expect(file('node16-esm')).toMatchObject(types('index'))
    expect(file('node16-cjs')).toMatchObject(types('require/index'))
    expect(file('bundler')).toMatchObject(types('index'))
    expect(file('node10')).toMatchObject(types('index'))
  })

  it('pass publint', async () => {
    const tarball = await readFile(made.tarball)
    const { messages, pkg } = await publint({
      strict: true,
      pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) },
    })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })
})
