/** Digits as points that a hand passes, in a square of 100: other ones than the page's own examples. */
export type Strokes = readonly (readonly (readonly [x: number, y: number])[])[]

function stroke(text: string): (readonly [number, number])[] {
  return text.split(' ').map((point) => point.split(',').map(Number) as unknown as readonly [number, number])
}

export const digits: readonly Strokes[] = [
  [stroke('54,16 40,19 30,32 26,50 29,68 38,80 50,84 62,79 70,64 72,46 67,28 58,18 50,16')],
  [stroke('53,14 51,36 50,58 48,86')],
  [stroke('28,34 31,22 43,15 57,17 66,27 64,41 53,55 40,68 29,82 45,81 60,82 76,81')],
  [stroke('30,24 41,16 55,16 65,25 64,36 55,45 44,48 57,50 68,58 70,70 62,81 48,86 34,83 26,75')],
  [stroke('34,16 31,34 28,54 45,54 60,53 76,52'), stroke('62,18 60,40 59,62 57,86')],
  [stroke('70,16 52,17 36,18 34,32 33,46 46,42 60,45 69,56 68,70 58,81 43,85 28,79')],
  [stroke('62,14 49,24 38,40 31,58 34,75 46,85 60,82 68,71 65,59 54,54 42,58 34,68')],
  [stroke('26,20 42,19 58,19 74,18 67,34 58,52 51,68 45,86')],
  [stroke('66,24 54,15 40,18 34,29 42,40 55,48 66,59 69,72 60,84 45,86 34,78 34,66 44,54 56,44 66,34 66,24')],
  [stroke('66,28 56,17 42,18 34,29 36,42 48,48 60,43 66,30 66,46 64,64 61,86')],
]

/** A 3 as another hand writes it: small, slanted, in a corner. */
export const slantedThree: Strokes = [
  stroke('18,12 26,8 36,9 40,15 37,21 30,25 26,26 34,28 38,33 36,40 29,45 20,46 12,42'),
]
