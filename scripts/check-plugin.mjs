// What the CUDA plugin needs, exports and holds: node scripts/check-plugin.mjs FILE
//   - of libtorch only its stable C interface (aoti_torch_*, torch_*), no C++ of one version; no libcudart, no libcuda
//   - exports nothing; no RPATH; glibc at most 2.28, libstdc++ at most GCC 8's
//   - device code for each architecture, by the headers in .nv_fatbin
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const libraries = ['libtorch_cpu.so', 'libtorch_cuda.so', 'libstdc++.so.6', 'libgcc_s.so.1', 'libm.so.6', 'libc.so.6']
const oldLibraries = ['libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'ld-linux-x86-64.so.2']
const floors = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }
const newer = (a, b) => a.localeCompare(b, 'en', { numeric: true }) > 0

function readelf(...args) {
  const { status, stdout, stderr, error } = spawnSync('readelf', ['-W', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`readelf ${args.join(' ')}: ${(error?.message ?? stderr).trim()}`)
  return stdout
}

/** Bytes of a section of an ELF file. */
function section(file, name) {
  const line = readelf('-S', file)
    .split('\n')
    .find((one) => one.includes(` ${name} `))
  const [, offset, size] = /PROGBITS\s+[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)/.exec(line ?? '') ?? []
  if (offset === undefined) return Buffer.alloc(0)
  const begin = Number.parseInt(offset, 16)
  return readFileSync(file).subarray(begin, begin + Number.parseInt(size, 16))
}

/**
 * Device images in a .nv_fatbin section, sorted and once each: 'sm_90' is machine code, 'compute_90' PTX.
 *
 * A fat binary begins with 0xba55ed50, version (16 bits), header size (16), size of what follows (64); each image with
 * kind (16: 1 PTX, 2 ELF), version (16), header size (32), size (64), and the architecture at byte 28.
 */
export function deviceImages(bytes) {
  const images = new Set()
  let at = 0
  while (at + 16 <= bytes.length) {
    if (bytes.readUInt32LE(at) !== 0xba55ed50) {
      at += 8 // fat binaries are aligned to 8 bytes
      continue
    }
    let image = at + bytes.readUInt16LE(at + 6)
    const end = image + Number(bytes.readBigUInt64LE(at + 8))
    while (image + 32 <= end) {
      const kind = bytes.readUInt16LE(image)
      images.add(`${kind === 1 ? 'compute' : 'sm'}_${bytes.readUInt32LE(image + 28)}`)
      image += bytes.readUInt32LE(image + 4) + Number(bytes.readBigUInt64LE(image + 8))
    }
    at = end
  }
  return [...images].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** What the file needs, exports and holds. */
export function pluginFacts(file) {
  const dynamic = readelf('-d', file)
  const symbols = Array.from(
    readelf('--dyn-syms', file).matchAll(/^ +\d+: [0-9a-f]+ +\d+ \w+ +(\w+) +\w+ +(\w+) ?(\S+)?/gm),
    ([, binding, place, symbol = '']) => ({
      binding,
      place,
      name: symbol.split('@')[0],
      version: symbol.split('@').at(-1),
    }),
  ).filter((symbol) => symbol.name !== '')
  return {
    needed: Array.from(dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g), ([, library]) => library),
    searchPath: /\((?:RPATH|RUNPATH)\).*\[(.*)\]/.exec(dynamic)?.[1] ?? null,
    wanted: symbols.filter((symbol) => symbol.place === 'UND'),
    exported: symbols.filter((symbol) => symbol.place !== 'UND').map((symbol) => symbol.name),
    images: deviceImages(section(file, '.nv_fatbin')),
  }
}

const ofLibtorch = /^(aoti_torch_|torch_)/
const ofSystem = /^(GLIBC|GLIBCXX|CXXABI|GCC)_([\d.]+)$/
const weak = /^(__gmon_start__|__cxa_finalize|_ITM_\w+)$/

/** What is wrong with these facts, one line each. */
export function pluginFaults({ needed, searchPath, wanted, exported, images }) {
  const faults = []
  const strange = needed.filter((library) => !libraries.includes(library) && !oldLibraries.includes(library))
  if (strange.length > 0) faults.push(`needs ${strange.join(', ')}`)
  if (!needed.includes('libtorch_cuda.so')) faults.push('does not name libtorch_cuda.so as needed')
  if (searchPath !== null) faults.push(`has a search path for libraries: ${searchPath}`)
  for (const { name, version } of wanted) {
    const [, kind, number] = ofSystem.exec(version) ?? []
    if (kind === undefined) {
      if (!ofLibtorch.test(name) && !weak.test(name))
        faults.push(`needs ${name}, which is not of the stable C interface`)
    } else if (floors[kind] && newer(number, floors[kind])) {
      faults.push(`needs ${name}@${version}, above ${floors[kind]}: see native/cuda/compatibility.S`)
    }
  }
  if (exported.length > 0)
    faults.push(`exports ${exported.slice(0, 3).join(', ')}${exported.length > 3 ? ', ...' : ''}`)
  if (!images.some((image) => image.startsWith('sm_'))) faults.push('holds no machine code for a GPU')
  if (!images.some((image) => image.startsWith('compute_'))) faults.push('holds no PTX for newer GPUs')
  return faults
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const facts = pluginFacts(process.argv[2])
  console.log(`images: ${facts.images.join(' ')}\nneeds:  ${facts.needed.join(' ')}`)
  const faults = pluginFaults(facts)
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}
