import { existsSync } from 'node:fs'
import path from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'

// test/package moves libtorch about by links, away from the NVIDIA libraries that a CUDA build needs beside it.
const cuda = existsSync(path.join(process.env.SPIKINGRX_LIBTORCH || '/nowhere', 'lib/libtorch_cuda.so'))
if (cuda) console.warn('SPIKINGRX_LIBTORCH names a CUDA build: test/package, which wants a CPU build, is left out')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(cuda ? ['test/package/**'] : [])],
    // A native addon is loaded once a process: forks give every file its own.
    pool: 'forks',
    maxWorkers: 2,
    // Two test files at once, each with a team of threads that spin while they wait, would slow one another down.
    env: { OMP_NUM_THREADS: '1' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
