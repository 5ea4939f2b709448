/**
 * `Requires-Dist` of a wheel's METADATA, as far as torch uses it:
 *
 *     cuda-toolkit[cublas,cudart]==13.0.2; platform_system == "Linux"
 *     nvidia-cublas==13.1.0.3.*; (sys_platform == 'linux' or sys_platform == 'win32') and extra == 'cublas'
 */
import { normalised } from './wheel-name.js'

export interface Requirement {
  readonly project: string
  readonly extras: readonly string[]
  /** '==13.0.2', '>=2,<3', or nothing. */
  readonly versions: string
  readonly marker: string
}

/** All of them, in order. */
export function requirementsOf(metadata: string): Requirement[] {
  // The description after the first empty line may hold anything.
  const head = metadata.split(/\r?\n\r?\n/, 1)[0] ?? ''
  return Array.from(head.matchAll(/^Requires-Dist:\s*(.+?)\s*$/gim), ([, text = '']) => parseRequirement(text)).filter(
    (one) => one !== null,
  )
}

function parseRequirement(text: string): Requirement | null {
  const parts = /^([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?\s*\(?([^;)]*)\)?\s*(?:;\s*(.*))?$/.exec(text)
  if (!parts) return null
  const [, project = '', extras = '', versions = '', marker = ''] = parts
  return {
    project: normalised(project),
    extras: extras
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
    versions: versions.replaceAll(' ', ''),
    marker,
  }
}

/** What a marker may ask for. */
export interface MarkerEnvironment {
  readonly architecture: string
  /** '' outside any extra. */
  readonly extra: string
}

/**
 * Whether a marker holds on Linux. Comparisons of names by == and !=, joined by `and`, `or` and parentheses; what else it
 * may ask for (a Python version) holds, because no Python will be there.
 */
export function markerHolds(marker: string, { architecture, extra }: MarkerEnvironment): boolean {
  const tokens =
    marker.match(/\(|\)|\band\b|\bor\b|[\w.]+\s*(?:===|==|!=|<=|>=|~=|<|>|\bnot in\b|\bin\b)\s*(?:'[^']*'|"[^"]*")/g) ??
    []
  const values: Readonly<Record<string, string>> = {
    platform_system: 'Linux',
    sys_platform: 'linux',
    os_name: 'posix',
    platform_machine: architecture === 'arm64' ? 'aarch64' : 'x86_64',
    extra,
  }
  let at = 0
  const either = (): boolean => {
    let holds = both()
    while (tokens[at] === 'or') {
      at++
      holds = both() || holds
    }
    return holds
  }
  const both = (): boolean => {
    let holds = one()
    while (tokens[at] === 'and') {
      at++
      holds = one() && holds
    }
    return holds
  }
  const one = (): boolean => {
    const token = tokens[at++]
    if (token === undefined) return true
    if (token !== '(') return comparison(token, values)
    const holds = either()
    at++
    return holds
  }
  return either()
}

function comparison(token: string, values: Readonly<Record<string, string>>): boolean {
  const [, name = '', operator = '', wanted = ''] = /^([\w.]+)\s*(\S+)\s*['"]([^'"]*)['"]$/.exec(token) ?? []
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (value === undefined) return true
  if (operator === '==') return value === wanted
  return operator === '!=' ? value !== wanted : true
}

/** Numbers of a release: '13.1.0.3+cu' -> [13, 1, 0, 3]; null for a pre-release, which is never wanted. */
export function releaseOf(version: string): number[] | null {
  const text = version.split('+', 1)[0] ?? ''
  return /^\d+(\.\d+)*(\.?post\d+)?$/.test(text) ? (text.replace(/\.?post/, '.').match(/\d+/g) ?? []).map(Number) : null
}

/** -1, 0 or 1; missing numbers are 0. */
export function compareReleases(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}

/** Whether a version is one that '==13.1.*,<14' allows. */
export function versionFits(version: string, versions: string): boolean {
  const release = releaseOf(version)
  if (release === null) return false
  return versions.split(',').every((clause) => clause === '' || clauseHolds(release, clause))
}

function clauseHolds(release: readonly number[], clause: string): boolean {
  const [, operator = '', text = '', star = ''] = /^(===|==|!=|~=|<=|>=|<|>)(.+?)(\.\*)?$/.exec(clause) ?? []
  const wanted = releaseOf(text)
  if (wanted === null) return false
  const order = compareReleases(release, wanted)
  const within = (length: number) => compareReleases(release.slice(0, length), wanted.slice(0, length)) === 0
  switch (operator) {
    case '==':
    case '===':
      return star ? within(wanted.length) : order === 0
    case '!=':
      return star ? !within(wanted.length) : order !== 0
    case '~=':
      return order >= 0 && within(wanted.length - 1)
    case '<=':
      return order <= 0
    case '>=':
      return order >= 0
    case '<':
      return order < 0
    default:
      return order > 0
  }
}
