/** Talks to the service: what is loaded, requests, and streams; with a token where it wants one. */

const KEPT = 'spikingrx.token'

/** The service answered, and not with what was asked for. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

let token = kept()

function kept() {
  try {
    return sessionStorage.getItem(KEPT) ?? ''
  } catch {
    return '' // A browser may forbid storage; then the token lives as long as the page.
  }
}

/** @param {string} value */
export function useToken(value) {
  token = value
  try {
    sessionStorage.setItem(KEPT, value)
  } catch {
    // As above.
  }
}

export function hasToken() {
  return token !== ''
}

/**
 * @param {string} path below the page's own address
 * @param {RequestInit} [options]
 */
async function ask(path, options = {}) {
  const headers = { ...options.headers, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
  const response = await fetch(path, { ...options, headers, cache: 'no-store', credentials: 'same-origin' })
  const body = await response.json().catch(() => ({}))
  if (response.ok) return body
  throw new Refused(response.status, body.error ?? `the service answered ${response.status}`)
}

/** What the service is and does now. */
export function overview() {
  return ask('page/overview')
}

/** One request without a stream: scores alone. @returns {Promise<number[]>} */
export async function infer(model, /** @type {ArrayBuffer} */ bytes, shape) {
  const [{ name, datatype }] = model.inputs
  const header = new TextEncoder().encode(
    JSON.stringify({
      inputs: [{ name, datatype, shape, parameters: { binary_data_size: bytes.byteLength } }],
      outputs: [{ name: model.outputs[0].name }],
    }),
  )
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(header.byteLength),
  }
  const address = `${addressOf(model)}/infer`
  const { outputs } = await ask(address, { method: 'POST', headers, body: new Blob([header, bytes]) })
  return outputs[0].data
}

/** @param {{ name: string, version: string }} model */
function addressOf({ name, version }) {
  return `v2/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`
}

/**
 * A stream to one model: shows it one input for T steps and gives what it answered at each.
 */
export class Stream {
  #socket
  #waiting = []
  #opened

  /** @param {{ name: string, version: string, outputs: { name: string }[] }} model */
  constructor(model) {
    const address = new URL(`${addressOf(model)}/stream`, document.baseURI)
    address.protocol = address.protocol.replace('http', 'ws')
    // A page can't set headers of a WebSocket: the token goes as a subprotocol.
    const protocols = token === '' ? ['spikingrx'] : ['spikingrx', `bearer.${token}`]
    this.#socket = new WebSocket(address, protocols)
    this.#socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(data)))
    this.#opened = new Promise((resolve, reject) => {
      this.#socket.addEventListener('open', () => resolve(undefined))
      this.#socket.addEventListener('close', () => {
        const error = new Error('the stream is closed')
        reject(error)
        for (const { refuse } of this.#waiting.splice(0)) refuse(error)
      })
    })
    this.#opened.then(
      () => this.#say({ type: 'options', outputs: [model.outputs[0].name], spikes: true }),
      () => undefined,
    )
  }

  get usable() {
    return this.#socket.readyState <= WebSocket.OPEN
  }

  /**
   * @param {ArrayBuffer} bytes one input
   * @param {number} steps
   */
  async show(bytes, steps) {
    await this.#opened
    const answers = Array.from({ length: steps }, () => {
      return new Promise((accept, refuse) => this.#waiting.push({ accept, refuse }))
    })
    this.#say({ type: 'reset' })
    for (let step = 0; step < steps; step++) this.#socket.send(bytes)
    return Promise.all(answers)
  }

  close() {
    this.#socket.close()
  }

  #say(/** @type {object} */ message) {
    this.#socket.send(JSON.stringify(message))
  }

  #take(message) {
    if (message.type === 'step') this.#waiting.shift()?.accept(message)
    else if (message.type === 'error') this.#waiting.shift()?.refuse(new Error(message.error))
  }
}
