import { spawnSync } from 'node:child_process'
import { chmod, lstat, mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { names, program, type Trained } from './program.js'
import {
  companionName,
  createProject,
  install,
  nvidiaInto,
  openProject,
  type Packed,
  type Project,
  packed,
  packing,
  type Start,
} from './project.js'

let made: Packed
let bare: Project
beforeAll(async () => {
  made = await packed()
  bare = await createProject(made, { companion: false })
}, packing)
afterAll(() => bare.remove())

/** Trains 20 steps, and tells where libtorch came from. */
async function train(project: Project, start: Start = {}) {
  const report = `
    const { libtorch, loaded, rejected } = doctor()
    main().then((trained) => console.log(JSON.stringify({ trained, libtorch, loaded, rejected })))
  `
  const text = `import { doctor, ${names} } from 'spikingrx'\n${program}${report}`
  const { status, signal, stdout, stderr } = await project.program('points.mjs', text, start)
  expect([status, signal, stderr]).toEqual([0, null, ''])
  const { trained, libtorch, loaded, rejected } = JSON.parse(stdout) as {
    trained: Trained
    libtorch: { source: string; root: string }
    loaded: { libtorch: string }
    rejected: { place: string; reason: string }[]
  }
  expect(trained.losses).toHaveLength(20)
  expect(trained.accuracy).toBeGreaterThan(0.95)
  expect(trained.again).toEqual(trained.scores)
  expect(loaded.libtorch).toMatch(/^2\.\d+\.\d+/)
  return { ...libtorch, root: await realpath(libtorch.root), passedOver: rejected.map(({ place }) => place) }
}

/** A folder for PATH with the tools of the project and this one besides. */
async function toolsWith(project: Project, name: string, put: (file: string) => Promise<void>): Promise<string> {
  const folder = path.join(project.folder, `bin-${Math.random().toString(36).slice(2)}`)
  await mkdir(folder)
  await put(path.join(folder, name))
  return `${folder}:${made.bin}`
}

const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout?.trim()

describe('with no compiler, no Python and an empty HOME, the installed package trains', () => {
  it('sees no other tools', async () => {
    expect((await readdir(made.bin)).sort()).toEqual(['node', 'npm'])
  })

  it('with the libtorch that SPIKINGRX_LIBTORCH names', async () => {
    const { source, root } = await train(bare, { environment: { SPIKINGRX_LIBTORCH: made.companion } })
    expect([source, root]).toEqual(['environment', made.companion])
  })

  it('with the companion package', async () => {
    const project = await createProject(made)
    try {
      const { source, root, passedOver } = await train(project)
      expect([source, root, passedOver]).toEqual(['companion', made.companion, ['SPIKINGRX_LIBTORCH']])
    } finally {
      await project.remove()
    }
  })

  it.each([
    ['XDG_CACHE_HOME', (folder: string) => ({ XDG_CACHE_HOME: folder }), '.'],
    ['~/.cache', (folder: string) => ({ XDG_CACHE_HOME: '', HOME: folder }), '.cache'],
  ])('with the user cache in %s', async (_, environment, below) => {
    const home = path.join(bare.folder, `cache-${below.length}`)
    const place = path.join(home, below, 'spikingrx/libtorch-2.13.0-cpu')
    await mkdir(place, { recursive: true })
    await symlink(made.companion, path.join(place, 'torch'))
    await nvidiaInto(place, made)
    const { source, root, passedOver } = await train(bare, { environment: environment(home) })
    expect([source, root]).toEqual(['cache', made.companion])
    expect(passedOver).toEqual(['SPIKINGRX_LIBTORCH', `package ${companionName}`])
  })

  it('with what `spikingrx setup` put into the user cache', async () => {
    const cache = path.join(bare.folder, 'set-up')
    const environment = { XDG_CACHE_HOME: cache }
    const { status, signal } = await bare.spikingrx(['setup', '--cpu', '--from', made.companion, '--json'], {
      environment,
    })
    expect([status, signal]).toEqual([0, null])
    const { source, root } = await train(bare, { environment })
    expect([source, root.startsWith(path.join(cache, 'spikingrx/libtorch-2.'))]).toEqual(['cache', true])
    expect((await lstat(path.join(root, 'lib/libtorch_cpu.so'))).isFile()).toBe(true)
    await rm(cache, { recursive: true })
  }, 180_000)

  it.skipIf(!python)("with the torch of this machine's Python, when asked to", async () => {
    // Any Python finds it here, as it would in site-packages; it is not imported.
    const torch = path.join(bare.folder, 'site-packages/torch')
    await mkdir(torch, { recursive: true })
    await nvidiaInto(path.dirname(torch), made)
    for (const name of ['lib', 'build-version']) await symlink(path.join(made.companion, name), path.join(torch, name))
    await writeFile(path.join(torch, '__init__.py'), 'raise ImportError("imported")\n')
    const PATH = await toolsWith(bare, 'python3', (file) => symlink(python, file))
    const environment = { PATH, PYTHONPATH: path.dirname(torch), SPIKINGRX_PYTHON_TORCH: '1' }
    const { source, root } = await train(bare, { environment })
    expect([source, root]).toEqual(['python', torch])
  })

  it('with what a python3 on the PATH names', async () => {
    const PATH = await toolsWith(bare, 'python3', async (file) => {
      await writeFile(file, `#!/bin/sh\necho '${made.companion}'\n`)
      await chmod(file, 0o755)
    })
    const { source, root } = await train(bare, { environment: { PATH, SPIKINGRX_PYTHON_TORCH: '1' } })
    expect([source, root]).toEqual(['python', made.companion])
  })
})

describe('the companion package as it is published', () => {
  const packages = fileURLToPath(new URL('../../dist-packages', import.meta.url))

  it('is installed beside the main package, and found', async ({ skip }) => {
    const tarballs = await readdir(packages).catch(() => [])
    const companion = tarballs.find((name) => name.startsWith('spikingrx-libtorch-cpu-linux-x64-'))
    if (!companion) return skip('no dist-packages/: run `npm run pack:libtorch` first')
    const project = openProject(made, path.join(bare.folder, 'real'))
    await mkdir(path.join(project.folder, 'home'), { recursive: true })
    await project.write('package.json', '{ "private": true }')
    await install(made.folder, project.folder, [made.tarball, path.join(packages, companion)])
    const { source, root } = await train(project)
    expect([source, root]).toEqual(['companion', path.join(project.folder, 'node_modules', companionName)])
  }, 300_000)
})
