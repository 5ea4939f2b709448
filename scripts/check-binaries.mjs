// Checks the binaries that a release ships: node scripts/check-binaries.mjs [folder]   (default: prebuilds/linux-*)
// Prints size, glibc and libstdc++ floors of every file; one line for each fault. What is asked of them:
//   - no newer glibc and libstdc++ than libtorch asks for (RHEL 8); stripped
//   - no RPATH; a core, which needs the kernels, may look for libraries beside itself: never where libtorch is
//   - one .node, the loader, and one library of kernels, which know no libtorch; a core and a binding for each minor; at
//     most one CUDA plugin
//   - only the expected libraries are named as needed; what computes knows no Node
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The newest version of each kind of symbol that may be needed: glibc 2.28, and GCC 8's libstdc++ and libgcc. */
export const floors = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' }

const system = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'librt.so.1',
  'ld-linux-x86-64.so.2',
  'ld-linux-aarch64.so.1',
]
const cxx = [...system, 'libstdc++.so.6', 'libgcc_s.so.1']
const torch = [...cxx, 'libtorch_cpu.so', 'libc10.so']
const kernels = 'spikingrx_kernels.so'
const nodeSymbol = /^(napi_|node_|uv_|_ZN2v8|_ZNK2v8|_ZN4node)/

/** What a file is, by its name; null for a name that nothing looks for. */
export function roleOf(name) {
  if (name.endsWith('.node')) return { role: 'loader', needed: system }
  if (/^spikingrx\.t\d+\.so$/.test(name)) return { role: 'core', needed: [...torch, kernels], searchPath: '$ORIGIN' }
  if (name === kernels) return { role: 'library of kernels', needed: cxx }
  const binding = /^spikingrx_node\.(t\d+)\.so$/.exec(name)
  if (binding) return { role: 'binding', needed: [...torch, `spikingrx.${binding[1]}.so`] }
  if (name === 'spikingrx_cuda.so') return { role: 'plugin', needed: [...cxx, 'libtorch_cpu.so', 'libtorch_cuda.so'] }
  return null
}

function readelf(option, file) {
  const { status, stdout, stderr, error } = spawnSync('readelf', ['-W', option, file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (error) throw new Error(`readelf is missing: apt-get install binutils (${error.message})`)
  if (status !== 0) throw new Error(`readelf ${option} ${file}: ${stderr.trim().split('\n')[0]}`)
  return stdout
}

/** '2.9' before '2.28' */
const newer = (a, b) => a.localeCompare(b, 'en', { numeric: true }) > 0

/** Undefined symbols, as `{ name, version }`, where version is like 'GLIBC_2.17' or null. */
function undefinedSymbols(file) {
  const lines = readelf('--dyn-syms', file).matchAll(/ UND (\S+?)(?:@+(\S+))?(?: \(\d+\))?$/gm)
  return Array.from(lines, ([, name, version]) => ({ name, version: version ?? null }))
}

/** What an ELF file asks for. */
export function inspect(file) {
  const dynamic = readelf('-d', file)
  const symbols = undefinedSymbols(file)
  const highest = {}
  // The list of needed versions, not the symbols: that is what the dynamic loader refuses a file by.
  for (const [, kind, version] of readelf('-V', file).matchAll(/Name: ([A-Z]+)_([\d.]+) +Flags/g))
    if (!highest[kind] || newer(version, highest[kind])) highest[kind] = version
  return {
    name: path.basename(file),
    bytes: statSync(file).size,
    needed: Array.from(dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g), ([, name]) => name),
    rpath: /\(RPATH\).*\[(.*)\]/.exec(dynamic)?.[1] ?? null,
    runpath: /\(RUNPATH\).*\[(.*)\]/.exec(dynamic)?.[1] ?? null,
    stripped: !/ \.(symtab|debug_info) /.test(readelf('-S', file)),
    highest,
    symbols,
  }
}

/** What of one file would keep it from running on older systems, one line each. */
export function floorFaultsOf({ highest, symbols }) {
  const above = ([kind, floor]) => highest[kind] && newer(highest[kind], floor)
  return Object.entries(floors)
    .filter(above)
    .map(([kind, floor]) => {
      const asks = ({ version }) => version?.startsWith(`${kind}_`) && newer(version.slice(kind.length + 1), floor)
      const by = symbols.filter(asks).map(({ name }) => name)
      return `needs ${kind}_${highest[kind]}, above ${floor}${by.length > 0 ? ` (${by.join(', ')})` : ''}: see native/compat/`
    })
}

/** What else is wrong with one file, one line each. */
export function faultsOf(facts) {
  const known = roleOf(facts.name)
  const faults = []
  const searchPaths = [facts.rpath, facts.runpath === known?.searchPath ? null : facts.runpath]
  for (const place of searchPaths) if (place !== null) faults.push(`has a search path for libraries: ${place}`)
  if (!facts.stripped) faults.push('is not stripped')
  if (known === null) return [...faults, 'has a name that nothing looks for']
  const unexpected = facts.needed.filter((library) => !known.needed.includes(library))
  if (unexpected.length > 0) faults.push(`needs ${unexpected.join(', ')}, which a ${known.role} must not`)
  const fromNode = facts.symbols.filter((symbol) => nodeSymbol.test(symbol.name))
  if (fromNode.length > 0 && known.role !== 'binding' && known.role !== 'loader')
    faults.push(`takes ${fromNode[0].name} from Node; what computes must run without it`)
  return faults
}

/** What is wrong with the set of files in a folder, one line each. */
export function faultsOfSet(names) {
  const faults = []
  const loaders = names.filter((name) => name.endsWith('.node'))
  if (loaders.length !== 1)
    faults.push(`holds ${loaders.length} .node files (${loaders.join(', ') || 'none'}), one is wanted`)
  const tags = (pattern) => new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []))
  const cores = tags(/^spikingrx\.(t\d+)\.so$/)
  const bindings = tags(/^spikingrx_node\.(t\d+)\.so$/)
  if (cores.size === 0) faults.push('holds no core')
  if (!names.includes(kernels)) faults.push(`lacks ${kernels}`)
  for (const tag of new Set([...cores, ...bindings]))
    if (!cores.has(tag) || !bindings.has(tag))
      faults.push(
        `holds ${cores.has(tag) ? 'a core' : 'a binding'} but no ${cores.has(tag) ? 'binding' : 'core'} for ${tag}`,
      )
  return faults
}

/**
 * Checks all files of a folder and prints a line for each; throws naming every fault. `portable: false` only prints what
 * would keep them from older systems: a compiler newer than those that releases are made with calls newer libraries.
 */
export function checkBinaries(folder, { portable = true } = {}) {
  const names = readdirSync(folder).sort()
  const faults = faultsOfSet(names).map((fault) => `${folder} ${fault}`)
  const floorFaults = []
  let total = 0
  for (const name of names) {
    const facts = inspect(path.join(folder, name))
    total += facts.bytes
    const versions = Object.keys(floors).flatMap((kind) =>
      facts.highest[kind] ? `${kind} ${facts.highest[kind]}` : [],
    )
    console.log(`${name.padEnd(24)} ${(facts.bytes / 1e6).toFixed(3).padStart(7)} MB   ${versions.join(', ')}`)
    faults.push(...faultsOf(facts).map((fault) => `${name} ${fault}`))
    floorFaults.push(...floorFaultsOf(facts).map((fault) => `${name} ${fault}`))
  }
  console.log(`${String(names.length).padEnd(2)} files ${' '.repeat(16)}${(total / 1e6).toFixed(3).padStart(7)} MB`)
  if (portable) faults.push(...floorFaults)
  else for (const fault of floorFaults) console.log(`not for a release: ${fault}`)
  if (faults.length > 0) throw new Error(faults.join('\n'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
  try {
    checkBinaries(process.argv[2] ?? path.join(root, 'prebuilds', `linux-${process.arch}`))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
