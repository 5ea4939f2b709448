/** Digits to start from, each as strokes in the unit square: straight lines and arcs, as a hand would draw them. */

/**
 * Points of an ellipse's arc; angles in degrees, 0 to the right, 90 downwards.
 *
 * @returns {[number, number][]}
 */
function arc(
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {number} */ rx,
  /** @type {number} */ ry,
  /** @type {number} */ from,
  /** @type {number} */ to,
) {
  const count = Math.max(2, Math.ceil(Math.abs(to - from) / 15) + 1)
  return Array.from({ length: count }, (_, i) => {
    const angle = ((from + ((to - from) * i) / (count - 1)) * Math.PI) / 180
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)]
  })
}

/** @type {readonly (readonly import('./picture.js').Stroke[])[]} */
export const examples = [
  [arc(0.5, 0.5, 0.2, 0.3, -80, 285)],
  [
    [
      [0.42, 0.3],
      [0.53, 0.2],
      [0.5, 0.8],
    ],
  ],
  [[...arc(0.49, 0.36, 0.17, 0.16, 190, 395), [0.5, 0.6], [0.3, 0.79], [0.45, 0.76], [0.72, 0.79]]],
  [[...arc(0.47, 0.35, 0.18, 0.15, 205, 450), ...arc(0.47, 0.65, 0.2, 0.16, 270, 510)]],
  [
    [
      [0.36, 0.2],
      [0.31, 0.54],
      [0.68, 0.52],
    ],
    [
      [0.64, 0.22],
      [0.6, 0.82],
    ],
  ],
  [
    [[0.38, 0.22], [0.35, 0.47], ...arc(0.47, 0.63, 0.19, 0.17, 240, 500)],
    [
      [0.38, 0.22],
      [0.68, 0.21],
    ],
  ],
  [[[0.58, 0.18], [0.43, 0.37], ...arc(0.48, 0.64, 0.16, 0.17, 200, 560)]],
  [
    [
      [0.3, 0.24],
      [0.69, 0.23],
      [0.57, 0.46],
      [0.46, 0.8],
    ],
  ],
  [[...arc(0.5, 0.35, 0.14, 0.15, -40, -270), ...arc(0.5, 0.66, 0.17, 0.16, -90, 235), [0.61, 0.27]]],
  [[...arc(0.49, 0.37, 0.16, 0.16, -20, -350), [0.65, 0.34], [0.62, 0.55], [0.56, 0.82]]],
]
