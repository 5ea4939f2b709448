/**
 * The spikes of every layer at every time step: a row a layer, a column a step. A convolution's channels lie side by side
 * as small pictures; other neurons fill a square.
 *
 * @typedef {{ layer: string, shape: number[], indices: number[], values?: number[] }} LayerSpikes
 * @typedef {{ step: number, outputs: { data: number[] }[], spikes: LayerSpikes[] }} Step
 */

/** Steps that are drawn; the rest of a long run is counted only. */
const MOST_STEPS = 64

/** Red, green, blue. */
const SILENT = [18, 28, 53]
const BETWEEN = [11, 18, 36]
const SPIKE = [255, 190, 40]
const STRONG = [255, 255, 255]

/** Where a layer's neurons go in its picture. */
function layout(/** @type {number[]} */ shape) {
  const [channels, height, width] =
    shape.length === 3 ? shape : [shape.reduce((product, size) => product * size, 1), 1, 1]
  const across = perLine(channels, Math.sqrt((channels * height) / width))
  const gap = height * width > 1 ? 1 : 0
  const down = Math.ceil(channels / across)
  return {
    height,
    width,
    across,
    gap,
    pictureWidth: across * (width + gap) - gap,
    pictureHeight: down * (height + gap) - gap,
    channels,
  }
}

/** Pictures in a line: about a square of them, and full lines where that can be. */
function perLine(/** @type {number} */ channels, /** @type {number} */ square) {
  for (let across = Math.ceil(square); across <= 2 * square; across++) if (channels % across === 0) return across
  return Math.ceil(square)
}

/** @param {number[]} shape */
function describe(shape) {
  const [channels, height, width] = shape
  return shape.length === 3 ? `${channels} × ${height} × ${width}` : `${shape.join(' × ')} neurons`
}

export class Raster {
  #place
  /** @type {{ canvases: HTMLCanvasElement[], shape: number[], count: HTMLElement, key: string }[]} */
  #rows = []
  /** @type {HTMLElement[][]} */
  #columns = []
  #steps = 0

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place
    // What is wider than the window is scrolled by keys too.
    place.tabIndex = 0
  }

  /**
   * @param {readonly Step[]} steps
   * @param {{ height: number, width: number, pixels: Float32Array }} input
   */
  show(steps, input) {
    const shown = steps.slice(0, MOST_STEPS)
    const layers = shown[0].spikes.map(({ layer, shape }) => ({ layer, shape: shape.slice(2) }))
    const key = JSON.stringify([shown.length, layers, input.height, input.width])
    if (this.#place.dataset.key !== key) this.#build(layers, shown.length, input, key)
    for (const canvas of this.#rows[0].canvases) paintPicture(canvas, input)
    layers.forEach(({ shape }, i) => {
      const { canvases, count } = this.#rows[i + 1]
      const neurons = shape.reduce((product, size) => product * size, 1)
      const each = shown.map(({ spikes }) => spikes[i].indices.length)
      shown.forEach(({ spikes }, step) => {
        paintSpikes(canvases[step], shape, spikes[i])
        canvases[step].setAttribute(
          'aria-label',
          `Layer ${i + 1}, step ${step + 1}: ${each[step]} of ${neurons} neurons fire`,
        )
      })
      const all = each.reduce((sum, one) => sum + one, 0)
      count.textContent = `${all.toLocaleString('en')} spikes, ${((100 * all) / (neurons * shown.length)).toFixed(1)} %`
    })
  }

  /** Shows the run up to a step as done, that step as now. @param {number} now from 1 */
  seek(now) {
    const [head] = this.#columns[now - 1] ?? []
    if (head) this.#place.scrollLeft = head.offsetLeft + 1.5 * head.offsetWidth - this.#place.clientWidth
    this.#columns.forEach((cells, step) => {
      for (const cell of cells) {
        cell.classList.toggle('later', step + 1 > now)
        cell.classList.toggle('now', step + 1 === now && now < this.#steps)
      }
    })
  }

  clear() {
    this.#place.replaceChildren()
    delete this.#place.dataset.key
    this.#columns = []
  }

  #build(
    layers,
    /** @type {number} */ steps,
    /** @type {{ height: number, width: number }} */ input,
    /** @type {string} */ key,
  ) {
    this.#steps = steps
    this.#columns = Array.from({ length: steps }, () => [])
    const head = element('div', 'row head', element('span', 'name', ''))
    for (let step = 0; step < steps; step++) {
      const cell = element('span', 'cell', String(step + 1))
      this.#columns[step].push(cell)
      head.append(cell)
    }
    const picture = /** @type {[number, number]} */ ([input.width, input.height])
    const rows = [this.#row('Picture', `${input.height} × ${input.width}`, picture, steps, [])]
    layers.forEach(({ layer, shape }, i) => {
      const { pictureWidth, pictureHeight } = layout(shape)
      rows.push(this.#row(`Layer ${i + 1}`, describe(shape), [pictureWidth, pictureHeight], steps, shape, layer))
    })
    this.#rows = rows
    this.#place.style.setProperty('--steps', String(steps))
    this.#place.replaceChildren(head, ...rows.map(({ row }) => row))
    this.#place.dataset.key = key
  }

  #row(title, size, [width, height], steps, shape, layer = '') {
    const count = element('small', 'count', '')
    const name = element('span', 'name', element('b', '', title), element('small', '', size), count)
    name.title = layer
    const row = element('div', 'row', name)
    const canvases = Array.from({ length: steps }, (_, step) => {
      const canvas = document.createElement('canvas')
      Object.assign(canvas, { width, height })
      canvas.setAttribute('role', 'img')
      canvas.setAttribute('aria-label', `Picture shown at step ${step + 1}`)
      const cell = element('span', 'cell', canvas)
      this.#columns[step].push(cell)
      row.append(cell)
      return canvas
    })
    return { row, canvases, shape, count, key: title }
  }
}

/** @param {string} tag @param {string} className @param {...(Node | string)} children */
export function element(tag, className, ...children) {
  const made = document.createElement(tag)
  if (className !== '') made.className = className
  made.append(...children)
  return made
}

/** @param {HTMLCanvasElement} canvas */
export function paintPicture(canvas, { height, width, pixels }) {
  Object.assign(canvas, { width, height })
  paint(canvas, (set) => {
    for (let i = 0; i < pixels.length; i++) {
      const grey = [0, 1, 2].map((part) => SILENT[part] + (STRONG[part] - SILENT[part]) * pixels[i])
      set(i, grey)
    }
  })
}

function paintSpikes(
  /** @type {HTMLCanvasElement} */ canvas,
  /** @type {number[]} */ shape,
  /** @type {LayerSpikes} */ { indices, values },
) {
  const { height, width, across, gap, pictureWidth, channels } = layout(shape)
  const size = height * width
  const place = (/** @type {number} */ index) => {
    const channel = Math.floor(index / size)
    const y = Math.floor(channel / across) * (height + gap) + Math.floor((index % size) / width)
    return y * pictureWidth + (channel % across) * (width + gap) + (index % width)
  }
  paint(canvas, (set) => {
    for (let i = 0; i < canvas.width * canvas.height; i++) set(i, BETWEEN)
    for (let index = 0; index < channels * size; index++) set(place(index), SILENT)
    // A residual sum may be more than one spike.
    for (const [i, index] of indices.entries()) set(place(index), (values?.[i] ?? 1) > 1 ? STRONG : SPIKE)
  })
}

function paint(
  /** @type {HTMLCanvasElement} */ canvas,
  /** @type {(set: (pixel: number, colour: number[]) => void) => void} */ body,
) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const image = context.createImageData(canvas.width, canvas.height)
  body((pixel, [red, green, blue]) => {
    image.data.set([red, green, blue, 255], 4 * pixel)
  })
  context.putImageData(image, 0, 0)
}
