import { describe, expect, it } from 'vitest'
import { barText, lines } from '../../lib/cli/setup-progress.js'

describe('what setup shows', () => {
  it('is a line a file, not one for every byte', () => {
    const shown: string[] = []
    using progress = lines((text) => void shown.push(text), 3600)
    for (let done = 0; done <= 100; done++)
      progress.report({ type: 'progress', work: 'download', name: 'a.whl', done: done * 1024, total: 102400 })
    progress.report({ type: 'progress', work: 'unpack', name: 'a.whl', done: 1, total: 2 })
    progress.report({ type: 'note', text: 'a note' })
    expect(shown).toEqual(['downloading a.whl (100.0 kB)', 'a note'])
  })

  it('is a bar that fits the terminal', () => {
    expect(barText('downloading a.whl', 0.5, 80)).toBe(`${'━'.repeat(10)}${'─'.repeat(10)} downloading a.whl`)
    expect(barText('x'.repeat(100), 2, 40)).toHaveLength(39)
  })
})
