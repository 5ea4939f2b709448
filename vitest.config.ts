import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A native addon is loaded once a process: forks give every file its own.
    pool: 'forks',
    maxWorkers: 2,
    // Two test files at once, each with a team of threads that spin while they wait, would slow one another down.
    env: { OMP_NUM_THREADS: '1' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
