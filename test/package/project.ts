/** Projects of users: a folder with the packed package installed, and processes that know of nothing else. */
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** What scripts/packed.mjs gives. */
export interface Packed {
  readonly folder: string
  readonly manifest: {
    readonly size: number
    readonly unpackedSize: number
    readonly files: readonly { readonly path: string; readonly size: number; readonly mode: number }[]
  }
  readonly tarball: string
  readonly project: string
  readonly companion: string
  /** NVIDIA's libraries, where libtorch is a CUDA build. */
  readonly nvidia: string | null
  readonly bin: string
}

interface Scripts {
  packed(): Promise<Packed>
  install(folder: string, project: string, packages: readonly string[]): Promise<void>
  readonly companionName: string
}
export const { packed, install, companionName } = (await import(
  new URL('../../scripts/packed.mjs', import.meta.url).href
)) as Scripts

/** Time for packing and installing once, in ms: npm may have to fetch. */
export const packing = 300_000

export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Start {
  readonly environment?: Readonly<Record<string, string>>
  /** A program, with its arguments, that runs node. */
  readonly under?: readonly string[]
}

export interface Project {
  readonly folder: string
  /** `node` with these arguments, in the folder, with an empty HOME and a PATH of node and npm alone. */
  node(args: readonly string[], start?: Start): Promise<Ended>
  /** Writes a program into the folder and runs it. */
  program(name: string, text: string, start?: Start): Promise<Ended>
  /** The program `spikingrx`. */
  spikingrx(args: readonly string[], start?: Start): Promise<Ended>
  write(file: string, text: string): Promise<string>
  remove(): Promise<void>
}

export interface ProjectOptions {
  /** Link the companion package into node_modules. Default true. */
  readonly companion?: boolean
  /** A copy of the package that a test may spoil, instead of a link to the installed one. Default false. */
  readonly copy?: boolean
}

/** A project whose node_modules links to what the tarball's installation gave. */
export async function createProject(made: Packed, options: ProjectOptions = {}): Promise<Project> {
  const folder = await mkdtemp(path.join(tmpdir(), 'spikingrx-user-'))
  const modules = path.join(folder, 'node_modules')
  const installed = path.join(made.project, 'node_modules')
  await mkdir(path.join(modules, '@spikingrx'), { recursive: true })
  await mkdir(path.join(folder, 'home'))
  for (const name of await readdir(installed)) {
    const [from, to] = [path.join(installed, name), path.join(modules, name)]
    if (name === 'spikingrx' && options.copy) await cp(from, to, { recursive: true })
    else await symlink(from, to)
  }
  if (options.companion ?? true) await symlink(made.companion, path.join(modules, companionName))
  await nvidiaInto(folder, made)
  return openProject(made, folder)
}

/** Puts NVIDIA's libraries where those in `folder/<any>/lib` look for them. */
export async function nvidiaInto(folder: string, made: Packed): Promise<void> {
  if (made.nvidia !== null) await symlink(made.nvidia, path.join(folder, 'nvidia'))
}

/** A folder that already has its node_modules. */
export function openProject(made: Packed, folder: string): Project {
  const node = (args: readonly string[], start: Start = {}) => run(made, folder, args, start)
  const write = async (file: string, text: string) => {
    await writeFile(path.join(folder, file), text)
    return path.join(folder, file)
  }
  return {
    folder,
    node,
    write,
    program: async (name, text, start) => node([await write(name, text)], start),
    spikingrx: (args, start) => node(['node_modules/spikingrx/dist/cli/main.js', ...args], start),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function run(made: Packed, folder: string, args: readonly string[], start: Start): Promise<Ended> {
  const home = path.join(folder, 'home')
  const [program = '', ...rest] = [...(start.under ?? []), path.join(made.bin, 'node'), ...args]
  const child = spawn(program, rest, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
    env: {
      PATH: made.bin,
      HOME: home,
      XDG_CACHE_HOME: path.join(home, 'cache'),
      OMP_NUM_THREADS: '1',
      ...start.environment,
    },
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, ...output }))
  })
}
