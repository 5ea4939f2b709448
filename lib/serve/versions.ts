import type { VersionPolicy } from './model-settings.js'

/** Which of a model's versions are to be served. */
export interface WantedVersions {
  /** In the order in which they are tried. */
  readonly candidates: readonly number[]
  /** How many of them: a newest version that is broken leaves its place to the one before. */
  readonly count: number
  /** Versions that the policy names and that are not there. */
  readonly missing: readonly number[]
}

export function wantedVersions(policy: VersionPolicy, found: Iterable<number>): WantedVersions {
  const newest = [...found].sort((a, b) => b - a)
  if (policy === 'all') return { candidates: newest, count: newest.length, missing: [] }
  if ('latest' in policy) return { candidates: newest, count: Math.min(policy.latest, newest.length), missing: [] }
  const candidates = newest.filter((version) => policy.includes(version))
  const missing = policy.filter((version) => !newest.includes(version))
  return { candidates, count: candidates.length, missing }
}
