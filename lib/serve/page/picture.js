/**
 * From strokes to the picture that the network sees, made as MNIST's were: the ink fits a box of 20/28 of the side, its
 * centre of mass is in the middle, edges are smooth. No canvas: the same numbers in every browser.
 *
 * A stroke is a list of points [x, y], both from 0 to 1, y downwards.
 *
 * @typedef {readonly [x: number, y: number]} Point
 * @typedef {readonly Point[]} Stroke
 */

/** Shares of the side: the box that MNIST fits digits into, half of its pen's width, and how wide a pen's edge is. */
const BOX = 20 / 28
const RADIUS = 1.05 / 28
const EDGE = 1.3 / 28

/**
 * @param {readonly Stroke[]} strokes
 * @param {number} height
 * @param {number} width
 * @returns {Float32Array} ink of each pixel, 0 to 1, row-major
 */
export function picture(strokes, height, width) {
  const side = Math.min(height, width)
  const fitted = fitted_(strokes)
  if (fitted.length === 0) return new Float32Array(height * width)
  const place = (/** @type {number} */ dx, /** @type {number} */ dy) =>
    fitted.map((stroke) => stroke.map(([x, y]) => [x * side + width / 2 + dx, y * side + height / 2 + dy]))
  const first = ink(place(0, 0), height, width, side)
  const [x, y] = centreOfMass(first, height, width)
  return ink(place(width / 2 - x, height / 2 - y), height, width, side)
}

/**
 * Scaled so that ink and pen fit the box, in the middle of it: coordinates from −1/2 to 1/2.
 *
 * @param {readonly Stroke[]} strokes
 * @returns {[number, number][][]}
 */
function fitted_(strokes) {
  const drawn = strokes.filter((stroke) => stroke.length > 0)
  const xs = drawn.flatMap((stroke) => stroke.map(([x]) => x))
  const ys = drawn.flatMap((stroke) => stroke.map(([, y]) => y))
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const extent = Math.max(right - left, bottom - top)
  // A dot stays a dot.
  const scale = extent < 0.02 ? 1 : (BOX - 2 * RADIUS) / extent
  return drawn.map((stroke) =>
    stroke.map(([x, y]) => [(x - (left + right) / 2) * scale, (y - (top + bottom) / 2) * scale]),
  )
}

/**
 * 1 within the pen's radius of a stroke, 0 beyond its edge, a smooth slope between.
 *
 * @param {readonly (readonly (readonly number[])[])[]} strokes in pixels
 * @param {number} height
 * @param {number} width
 * @param {number} side
 */
function ink(strokes, height, width, side) {
  const pixels = new Float32Array(height * width)
  const near = (RADIUS - EDGE / 2) * side
  const edge = EDGE * side
  const reach = near + edge
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i++) {
      const [x0, y0] = stroke[Math.max(0, i - 1)]
      const [x1, y1] = stroke[i]
      const fromY = Math.max(0, Math.floor(Math.min(y0, y1) - reach))
      const toY = Math.min(height - 1, Math.ceil(Math.max(y0, y1) + reach))
      const fromX = Math.max(0, Math.floor(Math.min(x0, x1) - reach))
      const toX = Math.min(width - 1, Math.ceil(Math.max(x0, x1) + reach))
      for (let y = fromY; y <= toY; y++) {
        for (let x = fromX; x <= toX; x++) {
          const d = distance(x + 0.5, y + 0.5, x0, y0, x1, y1)
          const value = Math.min(1, Math.max(0, (near + edge - d) / edge))
          const at = y * width + x
          if (value > pixels[at]) pixels[at] = value
        }
      }
    }
  }
  return pixels
}

/** Of a point from a line between two others. */
function distance(
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ x0,
  /** @type {number} */ y0,
  /** @type {number} */ x1,
  /** @type {number} */ y1,
) {
  const [dx, dy] = [x1 - x0, y1 - y0]
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length))
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy)
}

/** @returns {[x: number, y: number]} in pixels from the left and top edges */
export function centreOfMass(
  /** @type {Float32Array} */ pixels,
  /** @type {number} */ height,
  /** @type {number} */ width,
) {
  let [sum, sumX, sumY] = [0, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = pixels[y * width + x]
      sum += value
      sumX += value * (x + 0.5)
      sumY += value * (y + 0.5)
    }
  }
  return sum === 0 ? [width / 2, height / 2] : [sumX / sum, sumY / sum]
}
