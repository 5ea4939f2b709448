// npm test: builds what is stale, checks format, lint and types, runs the C++ and the TypeScript tests.
// The last line is "N passed, N failed": every test case of ctest and vitest; a failed build, check or crashed program
// counts as one failed. What else can be asked for (npm test -- ...):
//   --native          only the C++ tests
//   --libtorch 2.11   only the C++ and the TypeScript tests, with that libtorch and the prebuilt binaries
//   --full            for CI: besides, tests that take minutes, all prebuilt binaries, the figures, and what `smoke` names with every other libtorch
//                     and with the companion package
// The prebuilt binaries of the default libtorch are a copy of build/ and always made. Compiling for another takes minutes:
// without being asked for, its binaries are kept while the sources are the same, and taken out of prebuilds/ after that.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFolderOf, buildNative } from './build.mjs'
import { buildTypeScript } from './build-typescript.mjs'
import { libtorch, libtorchVersions, minorOf } from './libtorch.mjs'
import { packageFolder, packLibtorch } from './pack-libtorch.mjs'
import { currentVersions, prebuild, versionsOf } from './prebuild.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
/** With every libtorch: values of other implementations, and what crosses the binding. */
const smoke = ['test/golden', 'test/process/native-', 'test/process/load', 'test/unit/model.test.ts']
const total = { passed: 0, failed: 0, skipped: 0 }

function add(what, { passed, failed, skipped = 0 }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  console.log(`${what}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
}

/** Runs one step that counts only when it fails. */
async function step(what, work) {
  console.log(`\n== ${what}`)
  try {
    await work()
    return true
  } catch (error) {
    console.error(error.message)
    add(what, { passed: 0, failed: 1 })
    return false
  }
}

function check(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`exit status ${status}`)
}

/** The command line of a package in node_modules, without npx. */
function tool(name, program = name) {
  const file = require.resolve(`${name}/package.json`)
  const { bin } = JSON.parse(readFileSync(file, 'utf8'))
  return path.join(path.dirname(file), typeof bin === 'string' ? bin : bin[program])
}

/** Cases of each C++ program, by its closing line "name: N passed, N failed"; a crash has none and counts as one failed. */
export function countCtest(output) {
  const counts = { passed: 0, failed: 0 }
  const closing = new Map()
  for (const [, number, passed, failed] of output.matchAll(/^(\d+): \S+: (\d+) passed, (\d+) failed$/gm))
    closing.set(number, { passed: Number(passed), failed: Number(failed) })
  for (const [, number, verdict] of output.matchAll(/^\s*\d+\/\d+ Test\s+#(\d+): .*?\.{2,}\s*(\S+)/gm)) {
    const cases = closing.get(number) ?? { passed: verdict === 'Passed' ? 1 : 0, failed: 0 }
    counts.passed += cases.passed
    counts.failed += cases.failed
    if (verdict !== 'Passed' && cases.failed === 0) counts.failed++
  }
  return counts
}

/** Cases in vitest's JSON report; a file that could not even be loaded counts as one failed. */
export function countVitest(report) {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

function runCtest(version) {
  const folder = buildFolderOf(version)
  const { stdout, status, error } = spawnSync('ctest', ['--test-dir', folder, '-V', '--timeout', '300'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (error) throw error
  // Only what the programs and the verdicts say: -V also prints command lines and environments.
  console.log(
    stdout
      .split('\n')
      .filter((line) =>
        /^\d+: (?!Test (command|timeout)|Working Directory|Environment|\s{1,2}LD_)|^\s*\d+\/\d+ Test/.test(line),
      )
      .join('\n'),
  )
  const counts = countCtest(stdout)
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  add(`ctest${version ? withMinor(version) : ''}`, counts)
}

/** With a libtorch: that one and the binaries of prebuilds/; without, what a checkout runs with. */
async function runVitest({ libtorch: folder, label = '', files = [], environment = {} } = {}) {
  const file = path.join(root, 'build/vitest.json')
  rmSync(file, { force: true })
  const args = [tool('vitest'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...files]
  const env = { ...process.env, ...environment, ...(folder ? { SPIKINGRX_LIBTORCH: folder, PREBUILDS_ONLY: '1' } : {}) }
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env })
  if (!existsSync(file)) throw new Error(`vitest wrote no report, exit status ${status}`)
  const counts = countVitest(JSON.parse(readFileSync(file, 'utf8')))
  if (status !== 0 && counts.failed === 0) counts.failed = 1 // an error outside every test
  add(`vitest${label}`, counts)
}

/** Tests that take minutes: `--full` runs them, once. */
const long = { SPIKINGRX_FULL_TESTS: '1' }

const checks = {
  lint: () => check(process.execPath, [tool('@biomejs/biome', 'biome'), 'check', '.']),
  'format of C++': () => check(process.execPath, [path.join(root, 'scripts/clang-format.mjs'), '--check']),
  types: () => check(process.execPath, [tool('typescript', 'tsc'), '-p', 'tsconfig.check.json']),
  'types of the page': () => check(process.execPath, [tool('typescript', 'tsc'), '-p', 'tsconfig.page.json']),
}

/** What `npm test` does without options, and with --full. */
async function everything({ full }) {
  const own = Boolean(process.env.SPIKINGRX_LIBTORCH) // then build/ is not what a release is made of
  if (own && full) throw new Error('--full is for the libtorchs of a release: unset SPIKINGRX_LIBTORCH')
  const built = await step('build native', () => buildNative())
  const versions = full ? libtorchVersions : currentVersions()
  const prebuilt = built && !own && (await step('prebuild', () => prebuild({ versions, portable: full })))
  await step('build typescript', buildTypeScript)
  for (const [what, work] of Object.entries(checks)) await step(what, work)
  if (full) await step('figures', () => check(process.execPath, [path.join(root, 'scripts/figures.mjs')]))
  if (!built) return
  await step('C++ tests', () => runCtest())
  await step('TypeScript tests', () => runVitest({ environment: full ? long : {} }))
  if (!full || !prebuilt) return
  for (const version of libtorchVersions.slice(1)) await withLibtorch(version, smoke)
  const label = ' with the companion package'
  if (await step('pack libtorch', packLibtorch))
    await step(`TypeScript tests${label}`, () => runVitest({ libtorch: packageFolder, label, files: smoke }))
}

const withMinor = (version) => ` with libtorch ${minorOf(version)}`

/** The C++ tests and those TypeScript tests (default: all) that run with a libtorch other than the checkout's own. */
async function withLibtorch(version, files) {
  const label = withMinor(version)
  await step(`C++ tests${label}`, () => runCtest(version))
  await step(`TypeScript tests${label}`, async () => runVitest({ libtorch: await libtorch(version), label, files }))
}

async function main() {
  const began = Date.now()
  const [option, minor] = process.argv.slice(2)
  if (option === undefined || option === '--full') await everything({ full: option === '--full' })
  else if (option === '--native')
    (await step('build native', () => buildNative())) && (await step('C++ tests', () => runCtest()))
  else if (option === '--libtorch' && minor) {
    const versions = [...new Set([libtorchVersions[0], ...versionsOf(minor)])]
    const built =
      (await step('prebuild', () => prebuild({ versions, portable: false }))) &&
      (await step('build typescript', buildTypeScript))
    if (built) await withLibtorch(versions.at(-1))
  } else throw new Error(`unknown option ${option}: --native, --libtorch 2.11, --full or nothing`)
  console.log(`\nafter ${Math.round((Date.now() - began) / 1000)} s`)
  if (total.skipped > 0) console.log(`${total.skipped} skipped`)
  console.log(`${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main().catch((error) => {
    console.error(`spikingrx test: ${error.message}`)
    process.exitCode = 1
  })
