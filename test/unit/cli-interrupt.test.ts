import { afterEach, expect, it, vi } from 'vitest'
import { interruptible } from '../../lib/cli/interrupt.js'

afterEach(() => vi.restoreAllMocks())

/** Presses Ctrl-C at these times and says what happened. */
function press(times: readonly number[]): string[] {
  const happened: string[] = []
  const clock = vi.spyOn(performance, 'now')
  vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
    happened.push(`died of ${signal}`)
    return true
  })
  using interrupt = interruptible(
    () => happened.push('told'),
    () => happened.push('left'),
  )
  interrupt.signal.addEventListener('abort', () => happened.push('stopped'))
  for (const time of times) {
    clock.mockReturnValue(time)
    process.emit('SIGINT')
  }
  return happened
}

it('stops at the first Ctrl-C and quits at the second', () => {
  expect(press([1000])).toEqual(['stopped', 'told'])
  expect(press([1000, 3000])).toEqual(['stopped', 'told', 'left', 'died of SIGINT'])
})

it('takes the signal that npm passes on for the same press of the key', () => {
  expect(press([1000, 1005])).toEqual(['stopped', 'told'])
  expect(press([1000, 1005, 2000])).toEqual(['stopped', 'told', 'left', 'died of SIGINT'])
})

it('gives Ctrl-C back', () => {
  const before = process.listenerCount('SIGINT')
  interruptible(
    () => undefined,
    () => undefined,
  )[Symbol.dispose]()
  expect(process.listenerCount('SIGINT')).toBe(before)
})
