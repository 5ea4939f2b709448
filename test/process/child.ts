import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runtime } from '../../lib/runtime/addon.js'

const programs = fileURLToPath(new URL('programs', import.meta.url))

/** What programs/addon.mjs opens: the files this process uses. */
function addonFiles(): string {
  const { files, libtorch, native } = runtime()
  const core = files.cores.get(native.versions().libtorch.split('.', 2).join('.'))
  const libraries = ['libc10.so', 'libtorch_cpu.so'].map((name) => path.join(libtorch.libraries, name))
  return JSON.stringify({ loader: files.loader, libraries, ...core })
}

/** Runs a program of the folder programs/ in a process of its own. */
export function runProgram(name: string, options: { args?: readonly string[]; flags?: readonly string[] } = {}) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...(options.flags ?? []), path.join(programs, name), ...(options.args ?? [])],
    { encoding: 'utf8', timeout: 55_000, env: { ...process.env, SPIKINGRX_TEST_ADDON: addonFiles() } },
  )
  return { status, signal, stdout, stderr }
}
