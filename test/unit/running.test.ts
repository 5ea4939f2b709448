import { expect, it } from 'vitest'
import { Running } from '../../lib/model/running.js'

it('counts calls until they settle, whichever way, and tells when none is left', async () => {
  const running = new Running()
  await running.idle()
  let resolveFirst = (_: number): void => undefined
  let rejectSecond = (_: Error): void => undefined
  const calls = [
    running.track(new Promise<number>((resolve) => (resolveFirst = resolve))),
    running.track(new Promise<number>((_, reject) => (rejectSecond = reject))),
  ]
  expect(running.count).toBe(2)
  let idle = false
  const told = running.idle().then(() => {
    idle = true
  })
  resolveFirst(7)
  expect(await calls[0]).toBe(7)
  expect(running.count).toBe(1)
  expect(idle).toBe(false)
  rejectSecond(new Error('it failed'))
  await expect(calls[1]).rejects.toThrow('it failed')
  await told
  expect(running.count).toBe(0)
})
