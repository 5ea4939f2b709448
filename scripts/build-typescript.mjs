// Builds dist/ from lib/: JavaScript in a few files, declarations for ESM and CommonJS.
//
//   dist/index.js, dist/cli/main.js     one file an entry of package.json (exports, bin)
//   dist/chunks/*.js                    what they share, and what is loaded only when called
//   dist/**/*.d.ts                      declarations the entries reach
//   dist/serve/page/                    the landing page of the service, as it lies in lib/
//   dist/require/                       the same entries for require(): a line that requires the ESM one, so that both
//                                       ways in share one instance; copies of the declarations, read as CommonJS
//
// Few files, because Node resolves, reads and links each one: a hundred modules take 60 ms to import, these 15.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** What worker threads are started with. */
const workers = ['serve/instance-worker']

/** Entries by what imports them, as package.json says: 'dist/index.js' -> 'index'. */
export async function entryPoints(folder = root) {
  const { exports, bin } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'))
  const name = (file) => /^\.\/dist\/(.+)\.js$/.exec(file)?.[1]
  return {
    library: Object.values(exports).flatMap((target) => name(target.import) ?? []),
    programs: Object.values(bin).map(name),
  }
}

/** Declaration files that the entries reach by their imports, relative to `folder`. */
async function reachedDeclarations(folder, entries) {
  const reached = new Set()
  const visit = async (file) => {
    if (reached.has(file)) return
    reached.add(file)
    const text = await readFile(path.join(folder, file), 'utf8')
    const imports = Array.from(
      text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.[^'"]+)\.js['"]/g),
      ([, one]) => one,
    )
    for (const one of imports) await visit(path.join(path.dirname(file), `${one}.d.ts`))
  }
  for (const entry of entries) await visit(`${entry}.d.ts`)
  return [...reached]
}

async function declare(out, entries) {
  const all = path.join(out, 'declarations')
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(/package\.json$/, 'bin/tsc')
  const args = ['-p', path.join(root, 'tsconfig.json'), '--emitDeclarationOnly', '--outDir', all]
  const { status } = spawnSync(process.execPath, [tsc, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`typescript failed: exit status ${status}`)
  for (const file of await reachedDeclarations(all, entries)) {
    await cp(path.join(all, file), path.join(out, file))
    await cp(path.join(all, file), path.join(out, 'require', file))
  }
  await rm(all, { recursive: true })
}

async function bundle(out, entries) {
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => ({ in: `lib/${entry}.ts`, out: entry })),
    outdir: out,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  })
  for (const file of await readdir(out, { recursive: true })) {
    if (file.endsWith('.js')) await nameClasses(path.join(out, file))
  }
}

/**
 * Classes that name themselves inside become `var Model = class _Model`: they get their name back. esbuild's keepNames would
 * also set the name of every closure each time that it is made.
 */
async function nameClasses(file) {
  const text = await readFile(file, 'utf8')
  const named = text.replaceAll(
    /^var (\w+) = class _\1\b[^{\n]*\{$/gm,
    (line, name) => `${line}\n  static {\n    Object.defineProperty(this, "name", { value: "${name}" });\n  }`,
  )
  if (named !== text) await writeFile(file, named)
}

async function requirable(out, entries) {
  await mkdir(path.join(out, 'require'), { recursive: true })
  await writeFile(path.join(out, 'require/package.json'), '{ "type": "commonjs" }\n')
  for (const entry of entries) {
    const file = path.join(out, 'require', `${entry}.js`)
    await mkdir(path.dirname(file), { recursive: true })
    const target = path.relative(path.dirname(file), path.join(out, `${entry}.js`))
    await writeFile(file, `module.exports = require('${target}')\n`)
  }
}

/** Into another folder first: whoever runs dist/ meanwhile sees the old one or the new one. */
export async function buildTypeScript(dist = path.join(root, 'dist')) {
  const began = Date.now()
  const { library, programs } = await entryPoints()
  const cache = path.join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const out = await mkdtemp(path.join(cache, 'spikingrx-dist-'))
  try {
    await chmod(out, 0o755)
    await declare(out, library)
    await bundle(out, [...library, ...programs, ...workers])
    await requirable(out, library)
    await cp(path.join(root, 'lib/serve/page'), path.join(out, 'serve/page'), { recursive: true })
    for (const program of programs) await chmod(path.join(out, `${program}.js`), 0o755)
    if (existsSync(dist)) await rename(dist, `${out}.old`)
    await rename(out, dist).catch((error) => {
      if (error.code !== 'EXDEV') throw error
      return cp(out, dist, { recursive: true })
    })
  } finally {
    for (const left of [out, `${out}.old`]) await rm(left, { recursive: true, force: true })
  }
  console.log(`typescript: done in ${((Date.now() - began) / 1000).toFixed(1)} s`)
}
