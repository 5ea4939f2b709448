/** The drawing area: strokes by mouse, pen, finger or keyboard. */

/** Of the side: how far an arrow key moves the pen, and how thick a line is shown. */
const MOVE = 0.025
const FAR = 0.1
const LINE = 0.075

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

export class Drawing {
  #canvas
  #changed
  /** @type {[number, number][][]} */
  #strokes = []
  /** Of the pointer that draws, if one does. */
  #pointer
  /** The keyboard's pen. */
  #pen = { x: 0.5, y: 0.5, down: false, shown: false }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} changed called after every change
   */
  constructor(canvas, changed) {
    this.#canvas = canvas
    this.#changed = changed
    // Arrow keys are for the pen, not for a screen reader.
    canvas.setAttribute('role', 'application')
    canvas.addEventListener('pointerdown', (event) => this.#press(event))
    canvas.addEventListener('pointermove', (event) => this.#drag(event))
    for (const name of ['pointerup', 'pointercancel']) {
      canvas.addEventListener(/** @type {'pointerup'} */ (name), (event) => {
        if (event.pointerId === this.#pointer) this.#pointer = undefined
      })
    }
    canvas.addEventListener('keydown', (event) => this.#key(event))
    canvas.addEventListener('blur', () => {
      Object.assign(this.#pen, { down: false, shown: false })
      this.paint()
    })
    new ResizeObserver(() => this.paint()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint())
  }

  get strokes() {
    return this.#strokes
  }

  get empty() {
    return this.#strokes.length === 0
  }

  set strokes(strokes) {
    this.#strokes = strokes.map((stroke) => stroke.map(([x, y]) => [x, y]))
    this.#pen.down = false
    this.#update()
  }

  undo() {
    this.strokes = this.#strokes.slice(0, -1)
  }

  clear() {
    this.strokes = []
  }

  #at(/** @type {PointerEvent} */ { clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect()
    const inside = (/** @type {number} */ value) => Math.min(1, Math.max(0, value))
    return /** @type {[number, number]} */ ([inside((clientX - left) / width), inside((clientY - top) / height)])
  }

  #press(/** @type {PointerEvent} */ event) {
    if (event.button !== 0 || this.#pointer !== undefined) return
    event.preventDefault()
    this.#pointer = event.pointerId
    this.#canvas.setPointerCapture(event.pointerId)
    this.#canvas.focus({ preventScroll: true })
    Object.assign(this.#pen, { down: false, shown: false })
    this.#strokes.push([this.#at(event)])
    this.#update()
  }

  #drag(/** @type {PointerEvent} */ event) {
    if (event.pointerId !== this.#pointer) return
    const stroke = this.#strokes.at(-1)
    // A screen that is read more often than it is painted: every place in between.
    const moves = event.getCoalescedEvents?.() ?? []
    for (const one of moves.length > 0 ? moves : [event]) stroke?.push(this.#at(one))
    this.#update()
  }

  #key(/** @type {KeyboardEvent} */ event) {
    if (event.altKey || event.metaKey) return
    const arrow = ARROWS[event.key]
    const undo = event.key === 'Backspace' || (event.ctrlKey && event.key === 'z')
    if (arrow) this.#movePen(arrow, event.shiftKey ? FAR : MOVE)
    else if (event.key === ' ') this.#dropPen()
    else if (undo) this.undo()
    else if (event.key === 'Delete') this.clear()
    else return
    event.preventDefault()
  }

  #movePen([dx, dy], /** @type {number} */ far) {
    const pen = this.#pen
    pen.shown = true
    pen.x = Math.min(0.95, Math.max(0.05, pen.x + dx * far))
    pen.y = Math.min(0.95, Math.max(0.05, pen.y + dy * far))
    if (pen.down) this.#strokes.at(-1)?.push([pen.x, pen.y])
    this.#update(pen.down)
  }

  #dropPen() {
    const pen = this.#pen
    pen.shown = true
    pen.down = !pen.down
    if (pen.down) this.#strokes.push([[pen.x, pen.y]])
    this.#update(pen.down)
  }

  #update(changed = true) {
    this.paint()
    if (changed) this.#changed()
  }

  paint() {
    const canvas = this.#canvas
    const side = Math.round(canvas.clientWidth * devicePixelRatio)
    if (side === 0) return
    if (canvas.width !== side) canvas.width = canvas.height = side
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
    const style = getComputedStyle(canvas)
    context.clearRect(0, 0, side, side)
    context.lineCap = context.lineJoin = 'round'
    context.lineWidth = LINE * side
    context.strokeStyle = style.color
    for (const stroke of this.#strokes) {
      context.beginPath()
      for (const [x, y] of stroke) context.lineTo(x * side, y * side)
      if (stroke.length === 1) context.lineTo(stroke[0][0] * side + 0.01, stroke[0][1] * side)
      context.stroke()
    }
    if (this.#pen.shown) this.#paintPen(context, side, style.getPropertyValue('--accent'))
  }

  #paintPen(/** @type {CanvasRenderingContext2D} */ context, /** @type {number} */ side, /** @type {string} */ colour) {
    const { x, y, down } = this.#pen
    const radius = (LINE / 2) * side
    context.lineWidth = 2 * devicePixelRatio
    context.strokeStyle = context.fillStyle = colour
    context.beginPath()
    context.arc(x * side, y * side, radius, 0, 2 * Math.PI)
    if (down) context.fill()
    for (const [dx, dy] of Object.values(ARROWS)) {
      context.moveTo(x * side + dx * radius, y * side + dy * radius)
      context.lineTo(x * side + dx * 2 * radius, y * side + dy * 2 * radius)
    }
    context.stroke()
  }
}
