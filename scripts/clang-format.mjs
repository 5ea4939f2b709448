// Formats the C++ and C files under native/ in place; --check only names those that differ.
import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const { clangFormatPath } = createRequire(import.meta.url)('clang-format-node')
const native = fileURLToPath(new URL('../native', import.meta.url))
const check = process.argv.includes('--check')

try {
  accessSync(clangFormatPath, constants.X_OK)
} catch {
  chmodSync(clangFormatPath, 0o755) // the package leaves this to an install script, which npm may have blocked
}
const files = readdirSync(native, { recursive: true })
  .filter((file) => /\.(h|inl|cpp|c|cu|cuh)$/.test(file))
  .map((file) => path.join(native, file))
const { status, stderr } = spawnSync(clangFormatPath, [...(check ? ['--dry-run', '--Werror'] : ['-i']), ...files], {
  encoding: 'utf8',
})
if (check) {
  const differing = new Set(
    Array.from(stderr.matchAll(/^(.+?):\d+:\d+: error/gm), ([, file]) => path.relative(process.cwd(), file)),
  )
  for (const file of differing) console.log(`clang-format: ${file} differs`)
  console.log(
    `clang-format: ${files.length} files checked, ${differing.size} differ${differing.size > 0 ? ': npm run format' : ''}`,
  )
} else console.log(`clang-format: ${files.length} files formatted`)
if (status !== 0 && !check) console.error(stderr)
process.exitCode = status ?? 1
