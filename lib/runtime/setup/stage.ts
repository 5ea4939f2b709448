/** Fills an empty folder as Python's site-packages would be: torch/, and nvidia/ beside it for a CUDA build. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { inspect, unpack } from './archive.js'
import { copyTree, requireSpace } from './disk.js'
import { download, type RemoteFile } from './download.js'
import { metadataReader, nvidiaWheels } from './nvidia-wheels.js'
import type { Plan } from './setup.js'
import { SetupError } from './setup-error.js'
import { type Build, buildNamed, type Source, sourceText, torchWheelIn } from './source.js'
import {
  type Archive,
  firstOf,
  folderSupplier,
  indexSupplier,
  pipSupplier,
  type Supplier,
  type SupplierContext,
  type Wanted,
} from './supplier.js'

export interface Filled {
  /** What was fetched. */
  readonly files: readonly RemoteFile[]
  readonly archives: readonly Archive[]
}

const CUDA_LIBRARY = 'lib/libtorch_cuda.so'

/** What torch itself is asked for. */
export function torchWanted({ version, build }: Plan): Wanted {
  const local = build === 'cpu' ? (tag: string) => tag === 'cpu' : (tag: string) => tag === '' || tag.startsWith('cu')
  return { project: 'torch', versions: `==${version}`, local }
}

/** Where torch's wheel and those beside it come from. */
export function suppliers(
  { source, index, nvidiaIndex, build }: Plan,
  context: SupplierContext,
): { torch: Supplier; nvidia: Supplier } {
  const online = indexSupplier(nvidiaIndex, context)
  switch (source.kind) {
    case 'pip': {
      // pip's own places first; the CPU build is on torch's index only.
      const mirrored = index.href === nvidiaIndex.href && build === 'cpu' ? index : null
      const torch = pipSupplier(mirrored, build === 'cpu' ? index : null, context)
      return { torch, nvidia: pipSupplier(null, null, context) }
    }
    case 'wheels':
      return {
        torch: folderSupplier(source.folder, context),
        nvidia: firstOf(folderSupplier(source.folder, context), online),
      }
    case 'archive':
      return { torch: online, nvidia: firstOf(folderSupplier(path.dirname(source.file), context), online) }
    default:
      return { torch: indexSupplier(index, context), nvidia: online }
  }
}

/** @throws SetupError, AbortedError */
export async function fillStage(plan: Plan, stage: string, context: SupplierContext): Promise<Filled> {
  const { source } = plan
  const { report, signal } = context
  if (source.kind === 'folder') {
    refuseOther(plan, buildOf(source.root))
    await copyLibtorch(source.root, stage, context)
    return { files: [], archives: [] }
  }
  const archives: Archive[] = []
  const { torch, nvidia } = suppliers(plan, context)
  const add = async (archive: Archive, place?: (name: string) => string | null): Promise<void> => {
    archives.push(archive)
    const { bytes } = await inspect(archive.file)
    await requireSpace(stage, bytes, `unpacking ${path.basename(archive.file)}`)
    await unpack(archive.file, stage, { report, signal, ...(place ? { place } : {}) })
  }
  const main = await torchArchive(plan, torch, context)
  await add(main, await layout(main.file))
  const held = buildOf(path.join(stage, 'torch'))
  refuseOther(plan, held)
  if (held === 'cuda') {
    const helpers: Archive[] = []
    const wanted = await nvidiaWheels(metadataOf(stage), context.architecture, metadataReader(nvidia, helpers))
    archives.push(...helpers)
    for (const one of wanted) await add(await nvidia.wheel(one))
  }
  return { files: archives.flatMap(({ origin }) => origin ?? []), archives }
}

const buildOf = (root: string): Build => (existsSync(path.join(root, CUDA_LIBRARY)) ? 'cuda' : 'cpu')

/** Before gigabytes of NVIDIA's libraries are fetched for nothing. */
function refuseOther({ strict, build, source, index }: Plan, held: Build): void {
  if (!strict || held === build) return
  const [is, wanted] = held === 'cuda' ? ['CUDA', '--cuda'] : ['CPU', '--cpu']
  throw new SetupError(
    `${sourceText(source, index)} holds a ${is} build of libtorch: use ${wanted}`,
    'ERR_SETUP_SOURCE',
  )
}

/** The build that a source on this disk, or a name, shows to hold; null where only fetching it tells. */
export async function buildInside(source: Source): Promise<Build | null> {
  const named = buildNamed(source)
  if (named !== null) return named
  const wheel = source.kind === 'wheels' ? torchWheelIn(source.folder) : null
  const file = source.kind === 'archive' ? source.file : wheel
  if (file === null) return null
  return (await inspect(file)).names.some((name) => name.endsWith(CUDA_LIBRARY)) ? 'cuda' : 'cpu'
}

async function torchArchive(plan: Plan, torch: Supplier, context: SupplierContext): Promise<Archive> {
  const { source } = plan
  if (source.kind === 'archive') return { file: source.file, origin: null, temporary: false }
  if (source.kind !== 'url') {
    const wanted = torchWanted(plan)
    const known = await torch.find(wanted)
    // The archive, and at least twice as much unpacked; what it really takes is known once it is there.
    if (known?.size) await requireSpace(context.downloads, 3 * known.size, 'libtorch')
    return torch.wheel(wanted)
  }
  if (source.sha256 === null)
    context.report({
      type: 'note',
      text: `${source.name} comes without a hash (#sha256=...): only its length and its inner checksums are checked`,
    })
  const origin = { name: source.name, url: source.url, sha256: source.sha256, size: null }
  return { file: await download(context.http, origin, context.downloads, context.report), origin, temporary: true }
}

/** Where entries go: a wheel's as they are, the official zip's libtorch/ as torch/. @throws SetupError `ERR_SETUP_SOURCE` */
async function layout(archive: string): Promise<(name: string) => string | null> {
  const { names } = await inspect(archive)
  const library = 'lib/libtorch_cpu.so'
  if (names.includes(`torch/${library}`)) return (name) => name
  if (names.includes(`libtorch/${library}`)) return (name) => name.replace(/^libtorch(?=\/)/, 'torch')
  if (names.includes(library)) return (name) => `torch/${name}`
  throw new SetupError(
    `${path.basename(archive)} holds no libtorch for Linux (lib/libtorch_cpu.so)`,
    'ERR_SETUP_SOURCE',
    { archive },
  )
}

/** METADATA of the torch wheel that was unpacked; the official zip has none and needs none. */
function metadataOf(stage: string): string {
  const folder = readdirSync(stage).find((name) => /^torch-.*\.dist-info$/.test(name))
  const file = folder && path.join(stage, folder, 'METADATA')
  return file && existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** A libtorch that is there already: libraries, headers, what tells the version, and NVIDIA's libraries beside it. */
async function copyLibtorch(root: string, stage: string, { report, signal }: SupplierContext): Promise<void> {
  const torch = ['lib', 'include', 'share', 'version.py', 'build-version', 'build-hash'].map((name) => ({
    from: path.join(root, name),
    to: path.join(stage, 'torch', name),
  }))
  const nvidia = { from: path.join(root, '../nvidia'), to: path.join(stage, 'nvidia') }
  const parts = [...torch, ...(buildOf(root) === 'cuda' ? [nvidia] : [])].filter(({ from }) => existsSync(from))
  await copyTree(parts, root, report, signal)
}
