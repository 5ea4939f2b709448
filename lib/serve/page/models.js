/** What is loaded: a card for each version of each model. */
import { between, Sparkline, short } from './load.js'
import { element } from './raster.js'

const STATES = { READY: 'ready', LOADING: 'loading', UNLOADING: 'unloading', UNAVAILABLE: 'unavailable' }

/** @param {{ name: string, version: string }} model */
export function keyOf({ name, version }) {
  return `${name}/${version}`
}

export class ModelCards {
  #place
  #cards = new Map()

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place
  }

  /** @param {readonly any[]} models @param {number} seconds since the look before */
  show(models, seconds) {
    const order = models.map((model) => this.#card(model, seconds).node)
    for (const key of this.#cards.keys()) if (!models.some((model) => keyOf(model) === key)) this.#cards.delete(key)
    if (order.length === 0)
      order.push(element('p', 'note', 'No model is loaded: put one into the folder that is served.'))
    const same =
      order.length === this.#place.children.length && order.every((node, i) => node === this.#place.children[i])
    if (!same) this.#place.replaceChildren(...order)
  }

  #card(model, /** @type {number} */ seconds) {
    const card = this.#cards.get(keyOf(model)) ?? newCard(model)
    this.#cards.set(keyOf(model), card)
    card.state.textContent = STATES[model.state] ?? model.state
    card.state.dataset.state = model.state
    card.reason.textContent = model.reason ?? ''
    card.reason.hidden = !model.reason
    const signature = JSON.stringify([model.inputs, model.outputs, model.labels, model.steps])
    if (signature !== card.signature) {
      card.signature = signature
      card.tensors.replaceChildren(...tensors(model))
    }
    if (model.counters) {
      const { rate, latency } = between(card.counters ?? model.counters, model.counters, seconds)
      card.spark.add(rate)
      const took = latency === undefined ? '' : `, ${short(latency)} ms each`
      card.load.textContent = `${short(rate)} requests/s${took}; ${model.counters.requests.toLocaleString('en')} in all`
      card.counters = model.counters
    }
    return card
  }
}

function newCard({ name, version }) {
  const state = element('span', 'badge')
  const reason = element('p', 'notice')
  const tensors = element('dl', 'tensors')
  const load = element('p', 'note number')
  const spark = new Sparkline()
  const title = element('h3', '', name, element('small', '', ` version ${version}`))
  const node = element('article', 'card', element('div', 'title', title, state), reason, tensors, spark.node, load)
  return { node, state, reason, tensors, load, spark, signature: '', counters: undefined }
}

function tensors({ inputs = [], outputs = [], labels, steps }) {
  const line = (/** @type {string} */ term, /** @type {Node[]} */ lines) =>
    lines.length === 0 ? [] : [element('dt', '', term), element('dd', '', ...lines)]
  const shown = (/** @type {any[]} */ list) =>
    list.map(({ name, datatype, shape }) => element('code', '', `${name} ${datatype} [${shape.join(', ')}]`))
  return [
    ...line('Input', shown(inputs)),
    ...line('Outputs', shown(outputs)),
    ...line('Time steps', steps ? [new Text(String(steps))] : []),
    ...line(
      'Classes',
      labels
        ? [new Text(labels.length > 12 ? `${labels.slice(0, 10).join(', ')} … (${labels.length})` : labels.join(', '))]
        : [],
    ),
  ]
}
