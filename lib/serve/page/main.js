/** The landing page: looks at the service once a second and shows what it sees. */
import { Board, isDrawable } from './board.js'
import { between, sum, Tile } from './load.js'
import { keyOf, ModelCards } from './models.js'
import { hasToken, overview, Refused, useToken } from './service.js'

const EVERY = 1000

const find = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id))

const tiles = {
  rate: new Tile('Requests a second', ''),
  latency: new Tile('Mean latency', 'ms'),
  queue: new Tile('Waiting, of that', 'ms'),
  batch: new Tile('Samples a batch', ''),
  failures: new Tile('Failures a second', ''),
}
find('tiles').append(...Object.values(tiles).map(({ node }) => node))

const cards = new ModelCards(find('models'))
const board = new Board()
const choice = find('model')
/** @type {Map<string, any>} */
let drawable = new Map()
let chosen = ''
/** What was seen last, and when. */
let before

choice.addEventListener('change', () => choose(choice.value))

function choose(/** @type {string} */ key) {
  chosen = key
  const model = drawable.get(key)
  if (model) board.use(model)
}

function showDrawable(models) {
  const found = models.filter(isDrawable)
  const keys = found.map(keyOf)
  const changed = keys.join() !== [...drawable.keys()].join()
  drawable = new Map(found.map((model) => [keyOf(model), model]))
  find('draw').hidden = found.length === 0
  if (!changed) return
  choice.replaceChildren(...found.map((model) => new Option(`${model.name}, version ${model.version}`, keyOf(model))))
  find('model-choice').hidden = found.length < 2
  if (!drawable.has(chosen) && keys.length > 0) choose(keys[0])
  choice.value = chosen
}

function show(seen) {
  const now = performance.now()
  const seconds = before ? (now - before.at) / 1000 : 1
  find('server-version').textContent = seen.version
  state(seen.ready ? 'ready' : 'not ready', seen.ready ? 'good' : 'wait')
  for (const [name, offered] of Object.entries(seen.links)) {
    find(`link-${name}`).hidden = !offered
  }
  const total = sum(seen.models.flatMap(({ counters }) => counters ?? []))
  if (before && total.requests >= before.total.requests) {
    const load = between(before.total, total, seconds)
    for (const [name, tile] of Object.entries(tiles)) tile.add(load[name])
  }
  cards.show(seen.models, seconds)
  showDrawable(seen.models)
  before = { at: now, total }
}

function state(/** @type {string} */ text, /** @type {string} */ kind) {
  const place = find('server-state')
  if (place.textContent !== text) place.textContent = text
  place.dataset.kind = kind
}

function askForToken() {
  find('token-problem').textContent = hasToken() ? 'That token is not valid here.' : ''
  find('token').value = ''
  find('token-dialog').showModal()
  return new Promise((resolve) => {
    find('token-dialog').addEventListener(
      'close',
      () => {
        useToken(find('token').value.trim())
        resolve(undefined)
      },
      { once: true },
    )
  })
}

async function look() {
  try {
    show(await overview())
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      state('locked', 'wait')
      await askForToken()
      return look()
    }
    state(error instanceof Refused ? error.message : 'not reachable', 'bad')
    before = undefined
  }
  return undefined
}

async function watch() {
  // Nobody looks at a hidden tab.
  if (document.visibilityState === 'visible') await look()
  else before = undefined
  setTimeout(watch, EVERY)
}

document.addEventListener('visibilitychange', () => {
  before = undefined
})
watch()
