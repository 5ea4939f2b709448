import { describe, expect, it } from 'vitest'
import { runProgram } from './child.js'

const MiB = 2 ** 20

describe('the addon in a process', () => {
  it('survives the termination of fifty workers at work, and keeps nothing of theirs', () => {
    const { status, signal, stdout, stderr } = runProgram('terminate-workers.mjs')
    expect(stderr).toBe('')
    expect([status, signal]).toEqual([0, null])
    expect(JSON.parse(stdout)).toEqual({ workers: 50, memory: { tensors: 0, bytes: 0 } })
  })

  it.each([
    ['process.exit() while a job runs', 'exit'],
    ['process.exit() while a worker runs a job', 'worker'],
  ])('ends cleanly on %s', (_, how) => {
    for (let i = 0; i < 3; i++) {
      expect(runProgram('exit-while-busy.mjs', { args: [how] })).toEqual({
        status: 0,
        signal: null,
        stdout: '',
        stderr: '',
      })
    }
  })

  it('stays alive until pending work is done, and ends by itself then', () => {
    const { status, stdout, stderr } = runProgram('exit-while-busy.mjs', { args: ['end'] })
    expect([status, stdout, stderr]).toEqual([0, '12\n', ''])
  })

  it('ends with the ordinary report when an exception ends the process while a job runs', () => {
    const { status, signal, stderr } = runProgram('exit-while-busy.mjs', { args: ['throw'] })
    expect([status, signal]).toEqual([1, null])
    expect(stderr).toContain('Error: on purpose')
  })

  it('goes on working after refused calls', () => {
    const { status, stdout, stderr } = runProgram('reject.mjs')
    expect([status, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({
      codes: ['ERR_TORCH', 'ERR_TORCH_OUT_OF_MEMORY'],
      kept: 0,
      sum: [2, 2, 2, 2, 2, 2],
    })
  })

  it('frees dropped tensors inside a synchronous loop', () => {
    const { status, stdout, stderr } = runProgram('collect.mjs', { flags: ['--expose-gc'] })
    expect([status, stderr]).toEqual([0, ''])
    const { big, small, end } = JSON.parse(stdout)
    expect(big.bytes).toBeLessThan(1024 * MiB) // of 12,000
    expect(small.tensors).toBeLessThan(100_000) // of 300,000
    expect(end).toEqual({ tensors: 0, bytes: 0 })
  })
})
