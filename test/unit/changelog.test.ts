import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const changelog = read('CHANGELOG.md')
const { version } = JSON.parse(read('package.json')) as { version: string }
const headings = Array.from(changelog.matchAll(/^## (.*)$/gm), ([, heading]) => heading ?? '')

describe('CHANGELOG.md', () => {
  it('begins with what is not released yet, or with the version in package.json', () => {
    expect(['[Unreleased]', `[${version}]`]).toContain(headings[0]?.split(' - ')[0])
  })

  it('has sections of the form [1.2.3] - 2026-11-22, newest first', () => {
    const released = headings.filter((heading) => heading !== '[Unreleased]')
    for (const heading of released) expect(heading).toMatch(/^\[\d+\.\d+\.\d+(-[\w.]+)?\] - \d{4}-\d\d-\d\d$/)
    const days = released.map((heading) => heading.slice(-10))
    expect(days).toEqual([...days].sort().reverse())
    expect(new Set(headings).size).toBe(headings.length)
    expect(headings.indexOf('[Unreleased]')).toBeLessThanOrEqual(0)
  })

  it('sorts changes by kind, and has no empty kind', () => {
    const kinds = Array.from(changelog.matchAll(/^### (.*)\n\n(.*)$/gm), ([, kind, first]) => [kind, first])
    expect(kinds).toHaveLength((changelog.match(/^### /gm) ?? []).length)
    for (const [kind, first] of kinds) {
      expect(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']).toContain(kind)
      expect(first).toMatch(/^- \S/)
    }
  })
})
