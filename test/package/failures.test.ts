import { spawnSync } from 'node:child_process'
import {
  chmod,
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProject, type Packed, type Project, packed, packing, type Start } from './project.js'

let made: Packed
let project: Project
const spoilt: Project[] = []
beforeAll(async () => {
  made = await packed()
  project = await createProject(made, { companion: false })
}, packing)
afterAll(() => Promise.all([project, ...spoilt].map((one) => one.remove())))

const library = `
import { tensor } from 'spikingrx'
try {
  tensor([1, 2, 3])
} catch ({ name, code, message, constructor }) {
  console.log(JSON.stringify({ name, code, message, class: constructor.name }))
  process.exitCode = 3
}
`

/**
 * What a user sees who computes a first tensor, runs a command, and asks the doctor: a typed error, one line with its
 * code, a problem with something to do; and each process ends by itself, no signal, with its exit code.
 */
async function failure(where: Project, start: Start = {}) {
  const first = await where.program('first.mjs', library, start)
  expect([first.status, first.signal, first.stderr]).toEqual([3, null, ''])
  const error = JSON.parse(first.stdout) as { name: string; code: string; message: string; class: string }
  expect(error.class).toBe(error.name)

  const command = await where.spikingrx(['demo', 'lif'], start)
  expect([command.status, command.signal, command.stdout]).toEqual([1, null, ''])
  expect(command.stderr).toMatch(/^spikingrx demo: [^\n]+ \[ERR_\w+\]\n$/)
  expect(command.stderr).toContain(`[${error.code}]`)

  const doctor = await where.spikingrx(['doctor', '--json'], start)
  expect([doctor.status, doctor.signal]).toEqual([1, null])
  const { problems } = JSON.parse(doctor.stdout) as { problems: { what: string; fix: string }[] }
  expect(problems.length).toBeGreaterThan(0)
  for (const { what, fix } of problems) expect([what, fix].join('')).not.toContain('\n')
  return { ...error, problems }
}

/** A folder like a libtorch: links to the real libraries, but for those in `changed`. */
async function libtorch(
  name: string,
  version: string | null,
  changed: Record<string, (file: string) => Promise<void>> = {},
) {
  const folder = path.join(project.folder, name)
  await mkdir(path.join(folder, 'lib'), { recursive: true })
  if (version !== null) await writeFile(path.join(folder, 'build-version'), `${version}\n`)
  for (const file of await readdir(path.join(made.companion, 'lib'))) {
    const place = path.join(folder, 'lib', file)
    if (changed[file]) await changed[file](place)
    else await symlink(path.join(made.companion, 'lib', file), place)
  }
  return folder
}

/** The first bytes of a real library: what a broken download leaves. */
const beginning = (name: string, bytes: number) => async (place: string) => {
  const source = await open(path.join(made.companion, 'lib', name))
  try {
    const { buffer, bytesRead } = await source.read(Buffer.alloc(bytes), 0, bytes, 0)
    await writeFile(place, buffer.subarray(0, bytesRead))
  } finally {
    await source.close()
  }
}

/** A project with a copy of the package, spoilt by `change`; `natives` is its folder of native files. */
async function spoiltPackage(change: (natives: string) => Promise<unknown>): Promise<Project> {
  const where = await createProject(made, { copy: true })
  spoilt.push(where)
  await change(path.join(where.folder, 'node_modules/spikingrx/prebuilds/linux-x64'))
  return where
}

const version = async () => (await readFile(path.join(made.companion, 'build-version'), 'utf8')).trim()
/** '2.13.0+cpu' -> 't213' */
const tag = async () => `t${(await version()).split('.', 2).join('')}`
const core = async () => `spikingrx.${await tag()}.so`

describe('libtorch', () => {
  it('absent: every place, its reason and the command to run', async () => {
    const { name, code, message } = await failure(project)
    expect([name, code]).toEqual(['LibtorchNotFoundError', 'ERR_LIBTORCH_NOT_FOUND'])
    for (const place of [
      'SPIKINGRX_LIBTORCH is not set',
      'package @spikingrx/libtorch-cpu-linux-x64 is not installed',
      'holds no libtorch-* folder',
      "Python's torch is used only with",
    ])
      expect(message).toContain(place)
    expect(message).toContain('npx spikingrx setup')
  })

  it('of another minor version, as its files say', async () => {
    const folder = await libtorch('old', '2.4.1+cpu')
    const { name, code, message } = await failure(project, { environment: { SPIKINGRX_LIBTORCH: folder } })
    expect([name, code]).toEqual(['LibtorchVersionError', 'ERR_LIBTORCH_VERSION'])
    expect(message).toContain('2.4.1')
  })

  it('of another minor version, as it answers itself', async () => {
    const where = await spoiltPackage(async (natives) => {
      for (const file of await readdir(natives)) {
        const core = /^(spikingrx(?:_node)?)\.t\d+\.so$/.exec(file)
        if (core) await rename(path.join(natives, file), path.join(natives, `${core[1]}.t299.so`))
      }
    })
    const folder = await libtorch('silent', null)
    const { name, code, message } = await failure(where, { environment: { SPIKINGRX_LIBTORCH: folder } })
    expect([name, code]).toEqual(['LibtorchVersionError', 'ERR_LIBTORCH_VERSION'])
    expect(message).toContain('2.99')
  })

  it.each([
    ['libtorch_cpu.so', 0],
    ['libtorch_cpu.so', 1000],
    ['libtorch_cpu.so', 2_000_000],
    ['libc10.so', 1000],
    ['libc10.so', 1_000_000],
  ])('with %s cut off after %i bytes', async (name, bytes) => {
    const folder = await libtorch(`${name}-${bytes}`, await version(), { [name]: beginning(name, bytes) })
    const { code, message } = await failure(project, { environment: { SPIKINGRX_LIBTORCH: folder } })
    expect(code).toBe('ERR_LIBTORCH_NOT_FOUND')
    expect(message).toContain(name)
  })

  it('without the library it is linked with', async () => {
    const folder = await libtorch('lonely', await version(), { 'libc10.so': async () => {} })
    const { code, message } = await failure(project, { environment: { SPIKINGRX_LIBTORCH: folder } })
    expect(code).toBe('ERR_LIBTORCH_NOT_FOUND')
    expect(message).toContain('libc10.so')
  })

  it('damaged, with a whole one behind it: is passed over with a warning', async () => {
    const folder = await libtorch('damaged', await version(), {
      'libtorch_cpu.so': beginning('libtorch_cpu.so', 2_000_000),
    })
    const both = await createProject(made)
    spoilt.push(both)
    const { status, signal, stderr } = await both.program('first.mjs', library, {
      environment: { SPIKINGRX_LIBTORCH: folder },
    })
    expect([status, signal]).toEqual([0, null])
    expect(stderr).toMatch(/SpikingRxWarning: SPIKINGRX_LIBTORCH=.*damaged.*libtorch_cpu\.so.*using .*companion/)
  })
})

/** Root may read everything: then the processes run without the capabilities to, where setpriv can take them away. */
const dropped = '-dac_override,-dac_read_search'
const under = process.getuid?.() === 0 ? ['/usr/bin/setpriv', `--bounding-set=${dropped}`, `--inh-caps=${dropped}`] : []
const mayRun = under.length === 0 || spawnSync(under[0]!, [...under.slice(1), 'true']).status === 0

describe.skipIf(!mayRun)('a folder that may not be read', () => {
  const start = (environment: Record<string, string>): Start => ({ environment, under })
  let locked: string
  beforeAll(async () => {
    locked = await libtorch('locked', await version())
    await chmod(locked, 0)
  })
  afterAll(() => chmod(locked, 0o755))

  it('named by SPIKINGRX_LIBTORCH', async () => {
    const { code, message } = await failure(project, start({ SPIKINGRX_LIBTORCH: locked }))
    expect(code).toBe('ERR_LIBTORCH_NOT_FOUND')
    expect(message).toMatch(new RegExp(`SPIKINGRX_LIBTORCH=${locked} can't be read`))
  })

  it('the user cache', async () => {
    const cache = path.join(project.folder, 'locked-cache')
    await mkdir(path.join(cache, 'spikingrx'), { recursive: true })
    await chmod(path.join(cache, 'spikingrx'), 0)
    const { code, message } = await failure(project, start({ XDG_CACHE_HOME: cache }))
    expect(code).toBe('ERR_LIBTORCH_NOT_FOUND')
    expect(message).toMatch(/locked-cache\/spikingrx can't be read/)
  })
})

describe('the package', () => {
  it('on musl: says that libtorch needs glibc', async () => {
    // What node-gyp-build and the package ask: LIBC stands for /etc/alpine-release, the report names no glibc.
    const musl = await project.write(
      'musl.cjs',
      'process.report.getReport = () => ({ header: {}, sharedObjects: [] })\n',
    )
    const { name, code, message } = await failure(project, {
      environment: { LIBC: 'musl', NODE_OPTIONS: `--require=${musl}` },
    })
    expect([name, code]).toEqual(['SpikingRxError', 'ERR_PLATFORM'])
    expect(message).toMatch(/musl.*glibc/)
  })

  it('without prebuilds', async () => {
    const where = await spoiltPackage((natives) => rm(path.dirname(natives), { recursive: true }))
    const { name, code } = await failure(where)
    expect([name, code]).toEqual(['SpikingRxError', 'ERR_ADDON_NOT_FOUND'])
  })

  const natives = ['spikingrx.glibc.node', 'spikingrx_kernels.so', 'spikingrx.TAG.so', 'spikingrx_node.TAG.so']
  it.each(natives)('with %s cut off', async (pattern) => {
    const file = pattern.replace('TAG', await tag())
    const where = await spoiltPackage((natives) => truncate(path.join(natives, file), 12_000))
    const { name, code, message } = await failure(where)
    expect([name, code]).toEqual(['SpikingRxError', 'ERR_ADDON'])
    expect(message).toContain(file)
  })

  it('without the kernels', async () => {
    const where = await spoiltPackage((natives) => unlink(path.join(natives, 'spikingrx_kernels.so')))
    const { name, code, message } = await failure(where)
    expect([name, code]).toEqual(['SpikingRxError', 'ERR_ADDON'])
    expect(message).toContain('spikingrx_kernels.so: cannot open shared object file')
  })

  it('without the core of its libtorch', async () => {
    const where = await spoiltPackage(async (natives) => unlink(path.join(natives, await core())))
    const { code, message } = await failure(where)
    expect(code).toBe('ERR_LIBTORCH_VERSION')
    expect(message).toContain((await version()).split('+')[0])
  })

  it('refuses a file that is another program', async () => {
    const where = await spoiltPackage(async (natives) => {
      await unlink(path.join(natives, await core()))
      await copyFile(await realpath(path.join(made.bin, 'node')), path.join(natives, await core()))
    })
    expect((await failure(where)).code).toBe('ERR_ADDON')
  })
})
