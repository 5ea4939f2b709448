import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('exit-while-training-run.ts', import.meta.url))

// A backward under way uses statics of libtorch that exit() destroys.
it.each([
  ['process.exit()', 'exit', 7],
  ['an uncaught exception', 'throw', 1],
])('a process ends cleanly by %s in the middle of a training step', (_, how, expected) => {
  for (const wait of ['5', '20', '45', '90']) {
    const { status, signal } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), program, how, wait])
    expect([status, signal]).toEqual([expected, null])
  }
})
