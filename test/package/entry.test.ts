import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { names, program, report, type Trained } from './program.js'
import { createProject, type Ended, type Packed, type Project, packed, packing } from './project.js'

let made: Packed
let project: Project
beforeAll(async () => {
  made = await packed()
  project = await createProject(made)
}, packing)
afterAll(() => project.remove())

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const esm = `import { ${names} } from 'spikingrx'\n`
const commonJs = `const { ${names} } = require('spikingrx')\n`

function trained({ status, signal, stdout, stderr }: Ended): Trained {
  expect([status, signal, stderr]).toEqual([0, null, ''])
  return JSON.parse(stdout)
}

/** Compiles the project's files with these options; what the compiler prints, '' when it is content. */
async function compile(config: object): Promise<string> {
  const file = await project.write('tsconfig.json', JSON.stringify(config))
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', file], { cwd: project.folder, encoding: 'utf8' })
  return stdout + stderr
}

describe('the installed package', () => {
  it('trains, saves, loads and predicts from an ES module, to the same bits from CommonJS', async () => {
    const first = trained(await project.program('points.mjs', esm + program + report))
    expect(first.losses).toHaveLength(20)
    expect(first.losses[19]).toBeLessThan(first.losses[0]! / 3)
    expect(first.accuracy).toBeGreaterThan(0.95)
    expect(first.scores).toHaveLength(512)
    expect(first.again).toEqual(first.scores)
    expect(trained(await project.program('points.cjs', commonJs + program + report))).toEqual(first)
  })

  it("runs the README's first script", async () => {
    const text = await readFile(path.join(root, 'examples/first.mjs'), 'utf8')
    const { status, stdout, stderr } = await project.program('first.mjs', text)
    expect([status, stderr]).toEqual([0, ''])
    expect(Number(/epoch 10: .* ([\d.]+) % of unseen points right/.exec(stdout)?.[1])).toBeGreaterThan(90)
    expect(stdout).toMatch(/\(0, 0\.1\) is inside the circle\n$/)
  })

  it('draws pictures from the command line', async () => {
    const { status, stdout, stderr } = await project.spikingrx(['demo', 'lif'])
    expect([status, stderr]).toEqual([0, ''])
    const pictures = Array.from(stdout.matchAll(/\S+\.png/g), ([file]) => path.resolve(project.folder, file))
    expect(pictures.length).toBeGreaterThan(0)
    for (const file of pictures) expect((await readFile(file)).subarray(1, 4).toString()).toBe('PNG')
  })

  it('is one instance in a process that imports it both ways', async () => {
    const text = `
      import { createRequire } from 'node:module'
      import * as imported from 'spikingrx'
      const required = createRequire(import.meta.url)('spikingrx')
      const names = Object.keys(imported)
      console.log(JSON.stringify([names.length > 50, names.filter((name) => imported[name] !== required[name])]))
    `
    const { stdout, stderr } = await project.program('both.mjs', text)
    expect([stdout, stderr]).toEqual(['[true,[]]\n', ''])
  })

  it('keeps the names of its classes and functions', async () => {
    const text = `
      import * as spikingrx from 'spikingrx'
      const named = Object.entries(spikingrx).filter(([, value]) => typeof value === 'function')
      console.log(named.length > 40, named.filter(([name, value]) => value.name !== name).map(([name]) => name))
    `
    expect((await project.program('names.mjs', text)).stdout).toBe('true []\n')
  })

  it('is imported in a few files, without libtorch and other packages', async () => {
    // A thread of its own sees each module that is loaded; the report has each library.
    const hooks = `import { writeSync } from 'node:fs'
      export const load = (url, context, next) => {
        if (url.startsWith('file:')) writeSync(2, url + '\\n')
        return next(url, context)
      }`
    await project.write('hooks.mjs', hooks)
    const text = `
      import { register } from 'node:module'
      const libraries = () => process.report.getReport().sharedObjects.filter((file) => /torch|c10|spikingrx/.test(file))
      register('./hooks.mjs', import.meta.url)
      const { tensor } = await import('spikingrx')
      const before = libraries()
      tensor([1])
      console.log(JSON.stringify([before.length, libraries().some((file) => file.includes('libtorch_cpu'))]))
    `
    const { stdout, stderr } = await project.program('imports.mjs', text)
    expect(stdout).toBe('[0,true]\n')
    const inside = path.join(made.project, 'node_modules/spikingrx/dist')
    const files = stderr
      .trim()
      .split('\n')
      .map((url) => path.relative(inside, fileURLToPath(url)))
    expect(files).toContain('index.js')
    expect(files.filter((file) => file.startsWith('..'))).toEqual([])
    expect(files.length).toBeLessThanOrEqual(25) // of over 200 sources; each file costs half a millisecond
  })

  it('gives what is inside to nobody', async () => {
    const text = `import('spikingrx/dist/index.js').catch((error) => console.log(error.code))`
    expect((await project.program('inside.mjs', text)).stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n')
  })
})

describe('its types', () => {
  const uses = `
    async function typed() {
      const { Model, snn } = spikingrx
      const model: spikingrx.Model = await Model.create(snn({ input: [2], steps: 4 }).linear(3))
      const prediction: spikingrx.Prediction = await model.predict(new Float32Array(2))
      // @ts-expect-error classes are numbers
      const wrong: string = prediction.classes
      // @ts-expect-error there is no such option
      await model.predict(new Float32Array(2), { batchsize: 2 })
      model.dispose()
      return wrong
    }
    void typed
  `
  const strict = { strict: true, target: 'es2022', lib: ['es2022'], types: ['node'], skipLibCheck: false }
  /** The program with the one type that TypeScript can't infer. */
  const typedProgram = program.replace('const losses = []', 'const losses: number[] = []')

  beforeAll(async () => {
    const modules = path.join(project.folder, 'node_modules')
    await rm(path.join(modules, '@types'), { force: true })
    await mkdir(path.join(modules, '@types'))
    for (const name of ['@types/node', 'undici-types'])
      await symlink(path.join(root, 'node_modules', name), path.join(modules, name))
    await project.write('both.mts', `import * as spikingrx from 'spikingrx'\n${uses}`)
    await project.write('both.cts', `import * as spikingrx from 'spikingrx'\n${uses}`)
    for (const name of ['typed.mts', 'typed.cts']) await project.write(name, esm + typedProgram + report)
  })

  it.each(['node16', 'nodenext'])('resolve from ESM and CommonJS under %s, and the programs run', async (module) => {
    const options = { ...strict, module, moduleResolution: module, outDir: 'out' }
    const files = ['both.mts', 'both.cts', 'typed.mts', 'typed.cts']
    expect(await compile({ compilerOptions: options, files })).toBe('')
    const first = trained(await project.node(['out/typed.mjs']))
    expect(first.again).toEqual(first.scores)
    expect(trained(await project.node(['out/typed.cjs']))).toEqual(first)
  })

  it('resolve under bundler', async () => {
    const options = { ...strict, module: 'esnext', moduleResolution: 'bundler', noEmit: true }
    expect(await compile({ compilerOptions: options, files: ['both.mts', 'typed.mts'] })).toBe('')
  })

  it('are not any', async () => {
    await project.write('wrong.mts', `import { Model } from 'spikingrx'\nexport const wrong: number = Model\n`)
    const options = { ...strict, module: 'node16', moduleResolution: 'node16', noEmit: true }
    expect(await compile({ compilerOptions: options, files: ['wrong.mts'] })).toMatch(
      /wrong\.mts\(2,14\): error TS2322: Type 'typeof Model' is not assignable to type 'number'/,
    )
  })
})
