/** The drawing and what a model makes of it: every change is shown to the network, its answer played step by step. */
import { Bars, percent } from './bars.js'
import { Drawing } from './canvas.js'
import { examples } from './examples.js'
import { picture } from './picture.js'
import { element, paintPicture, Raster } from './raster.js'
import { infer, Stream } from './service.js'

/** Milliseconds: of one step when a run is played; of quiet before that, before the answer is read out, before a stream ends. */
const STEP = 170
const QUIET = 250
const SETTLED = 700
const IDLE = 30_000

const still = matchMedia('(prefers-reduced-motion: reduce)')
const find = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id))

/** Whether a model looks at pictures of one channel and names a class. */
export function isDrawable({ inputs, outputs, state }) {
  if (state !== 'READY' || inputs?.length !== 1) return false
  const [, channels, height, width, ...more] = inputs[0].shape
  const whole = channels === 1 && more.length === 0 && [height, width].every((side) => side >= 8 && side <= 128)
  return whole && ['UINT8', 'FP32'].includes(inputs[0].datatype) && outputs[0]?.shape.length === 2
}

export class Board {
  #model
  #stream
  #bars
  #raster = new Raster(find('raster'))
  #drawing = new Drawing(find('canvas'), () => this.#draw())
  /** What was answered last: steps with scores and spikes. */
  #run = []
  #busy = false
  #again = false
  /** Closes a stream that nobody draws for: a service has only so many. */
  #idle
  #timers = /** @type {Record<string, ReturnType<typeof setTimeout> | undefined>} */ ({})

  constructor() {
    find('undo').addEventListener('click', () => this.#drawing.undo())
    find('clear').addEventListener('click', () => this.#drawing.clear())
    find('play').addEventListener('click', () => this.#play())
    find('step').addEventListener('input', () => {
      clearTimeout(this.#timers.play)
      this.#seek(Number(find('step').value))
    })
    find('examples').append(...examples.map((strokes, digit) => this.#example(strokes, digit)))
  }

  /** Asks this model from now on. */
  use(model) {
    this.#model = model
    this.#stream?.close()
    this.#stream = undefined
    const count = model.outputs[0].shape[1]
    const labels = model.labels ?? Array.from({ length: count }, (_, i) => String(i))
    const digits = labels.length === 10 && labels.every((label, i) => label === String(i))
    find('draw-title').textContent = digits ? 'Draw a digit' : 'Draw something'
    find('examples').hidden = !digits
    this.#bars = new Bars(find('bars'), labels)
    this.#raster.clear()
    this.#draw()
  }

  #example(strokes, /** @type {number} */ digit) {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'path')
    line.setAttribute(
      'd',
      strokes
        .map((stroke) => `M${stroke.map(([x, y]) => `${(24 * x).toFixed(1)} ${(24 * y).toFixed(1)}`).join('L')}`)
        .join(''),
    )
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    svg.setAttribute('viewBox', '3 3 18 18')
    svg.setAttribute('aria-hidden', 'true')
    svg.append(line)
    const button = element('button', '', svg)
    button.setAttribute('type', 'button')
    button.setAttribute('aria-label', `Draw a ${digit}`)
    button.addEventListener('click', () => {
      this.#drawing.strokes = strokes
    })
    return button
  }

  #input() {
    const [{ shape, datatype }] = this.#model.inputs
    const [, , height, width] = shape
    const pixels = picture(this.#drawing.strokes, height, width)
    const bytes = datatype === 'UINT8' ? Uint8Array.from(pixels, (ink) => Math.round(255 * ink)) : pixels
    return { height, width, pixels, bytes: bytes.buffer, shape: [1, 1, height, width] }
  }

  async #draw() {
    find('hint').hidden = !this.#drawing.empty
    for (const id of ['undo', 'clear']) find(id).disabled = this.#drawing.empty
    if (!this.#model) return
    const input = this.#input()
    paintPicture(find('seen'), input)
    find('bars').ariaBusy = String(!this.#drawing.empty)
    if (this.#drawing.empty) {
      this.#forget()
      return
    }
    // One question at a time; what is drawn meanwhile is the next.
    this.#again = this.#busy
    if (this.#busy) return
    this.#busy = true
    const model = this.#model
    try {
      const began = performance.now()
      const run = await this.#ask(model, input)
      if (model === this.#model && !this.#drawing.empty) this.#answer(run, input, performance.now() - began)
    } catch (error) {
      this.#problem(`The service did not answer: ${/** @type {Error} */ (error).message}`)
    }
    this.#busy = false
    if (this.#again || model !== this.#model) requestAnimationFrame(() => this.#draw())
    else find('bars').ariaBusy = 'false'
  }

  /** The run of a model on an input: step by step on a stream, or at once where there can be none. */
  async #ask(model, input) {
    try {
      clearTimeout(this.#idle)
      if (!this.#stream?.usable) this.#stream = new Stream(model)
      const run = await this.#stream.show(input.bytes, model.steps)
      this.#problem('')
      this.#idle = setTimeout(() => this.#stream?.close(), IDLE)
      return run
    } catch (error) {
      this.#stream?.close()
      this.#stream = undefined
      this.#problem(`No spikes to show, only the answer: ${/** @type {Error} */ (error).message}.`)
    }
    return [{ step: model.steps, outputs: [{ data: await infer(model, input.bytes, input.shape) }], spikes: undefined }]
  }

  #answer(run, input, /** @type {number} */ milliseconds) {
    this.#run = run
    const counts = run.flatMap(({ spikes = [] }) => spikes.map(({ indices }) => indices.length))
    const neurons = (run[0].spikes ?? []).reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    )
    const spikes = counts.reduce((sum, one) => sum + one, 0)
    find('fact-time').textContent = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
    find('fact-steps').textContent = String(this.#model.steps)
    find('fact-spikes').textContent = run[0].spikes ? spikes.toLocaleString('en') : '–'
    find('fact-rate').textContent = run[0].spikes ? percent(spikes / (neurons * run.length)) : '–'
    if (run[0].spikes) this.#raster.show(run, input)
    else this.#raster.clear()
    const slider = find('step')
    slider.min = '1'
    slider.max = String(run.length)
    slider.disabled = find('play').disabled = run.length < 2
    this.#seek(run.length)
    clearTimeout(this.#timers.play)
    if (!still.matches) this.#timers.play = setTimeout(() => this.#play(), QUIET)
    clearTimeout(this.#timers.speak)
    this.#timers.speak = setTimeout(() => this.#speak(), SETTLED)
  }

  #play() {
    clearTimeout(this.#timers.play)
    const to = (/** @type {number} */ now) => {
      if (now > this.#run.length) return
      this.#seek(now)
      this.#timers.play = setTimeout(() => to(now + 1), STEP)
    }
    to(1)
  }

  /** Shows the run as it stood after a step. */
  #seek(/** @type {number} */ now) {
    const answer = this.#bars.show(this.#run[now - 1].outputs[0].data)
    find('decision').textContent = answer.label
    find('certainty').textContent = percent(answer.share)
    find('step').value = String(now)
    find('step-text').textContent = `${this.#run[now - 1].step} of ${this.#model.steps}`
    this.#raster.seek(now)
    document.body.dataset.played = String(now === this.#run.length)
  }

  #speak() {
    const scores = this.#run.at(-1)?.outputs[0].data
    if (!scores) return
    const best = scores.indexOf(Math.max(...scores))
    const label = this.#model.labels?.[best] ?? best
    find('spoken').textContent = `The network says ${label}.`
  }

  #forget() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.#run = []
    this.#bars.show(undefined)
    this.#raster.clear()
    find('decision').textContent = '–'
    for (const id of ['certainty', 'spoken', 'step-text']) find(id).textContent = ''
    for (const id of ['fact-time', 'fact-steps', 'fact-spikes', 'fact-rate']) find(id).textContent = '–'
    find('step').disabled = find('play').disabled = true
  }

  #problem(/** @type {string} */ text) {
    find('stream-problem').textContent = text
    find('stream-problem').hidden = text === ''
  }
}
