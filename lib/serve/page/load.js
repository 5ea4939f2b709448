/** Throughput and latency, from counters looked at once a second: differences of two looks. */

/** Looks that a line goes back. */
const HISTORY = 60

/** What happened between two looks; undefined where nothing did. */
export function between(before, after, seconds) {
  const since = (/** @type {string} */ name) => Math.max(0, after[name] - before[name])
  const answered = since('requests')
  const executions = since('executions')
  const each = (/** @type {string} */ name) => (answered > 0 ? since(name) / answered / 1e6 : undefined)
  return {
    rate: answered / seconds,
    latency: each('requestNanoseconds'),
    queue: each('queueNanoseconds'),
    batch: executions > 0 ? since('inferences') / executions : undefined,
    failures: since('failures') / seconds,
  }
}

export function sum(/** @type {readonly Record<string, number>[]} */ counters) {
  const total = /** @type {Record<string, number>} */ ({})
  for (const one of counters) for (const [name, value] of Object.entries(one)) total[name] = (total[name] ?? 0) + value
  return total
}

const SVG = 'http://www.w3.org/2000/svg'

/** A line of the last minute. */
export class Sparkline {
  #values = /** @type {(number | undefined)[]} */ ([])
  #line = document.createElementNS(SVG, 'path')
  #area = document.createElementNS(SVG, 'path')
  node = document.createElementNS(SVG, 'svg')

  constructor() {
    this.node.setAttribute('viewBox', `0 0 ${HISTORY - 1} 20`)
    this.node.setAttribute('preserveAspectRatio', 'none')
    this.node.setAttribute('class', 'spark')
    this.node.setAttribute('aria-hidden', 'true')
    this.#area.setAttribute('class', 'area')
    this.#line.setAttribute('class', 'line')
    this.node.append(this.#area, this.#line)
  }

  /** @param {number | undefined} value undefined leaves a gap */
  add(value) {
    this.#values = [...this.#values, value].slice(-HISTORY)
    const most = Math.max(...this.#values.map((one) => one ?? 0)) || 1
    const start = HISTORY - this.#values.length
    const runs = /** @type {string[][]} */ ([[]])
    this.#values.forEach((one, i) => {
      if (one === undefined) runs.push([])
      else runs.at(-1)?.push(`${start + i} ${(19 - (17 * one) / most).toFixed(2)}`)
    })
    const drawn = runs.filter((run) => run.length > 0)
    this.#line.setAttribute('d', drawn.map((run) => `M${run.join('L')}${run.length === 1 ? 'h.6' : ''}`).join(''))
    const x = (/** @type {string | undefined} */ point) => point?.split(' ')[0]
    this.#area.setAttribute('d', drawn.map((run) => `M${x(run[0])} 20L${run.join('L')}L${x(run.at(-1))} 20Z`).join(''))
  }
}

/** A figure with its line. */
export class Tile {
  #value = document.createElement('b')
  #spark = new Sparkline()
  #unit
  node = document.createElement('div')

  /** @param {string} title @param {string} unit */
  constructor(title, unit) {
    this.#unit = unit
    const name = document.createElement('span')
    name.textContent = title
    this.#value.className = 'number'
    this.node.className = 'tile'
    this.node.append(name, this.#value, this.#spark.node)
    this.#say(undefined)
  }

  /** @param {number | undefined} value */
  add(value) {
    this.#spark.add(value)
    // What was last measured stays to be read.
    if (value !== undefined) this.#say(value)
  }

  #say(/** @type {number | undefined} */ value) {
    this.#value.textContent = value === undefined ? '–' : `${short(value)} ${this.#unit}`.trim()
  }
}

/** Three digits. @param {number} value */
export function short(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value === 0 ? '0' : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}
