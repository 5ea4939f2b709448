/** How each receiver looks in every picture: told apart by colour and by shape. */
import type { MeasuredCurve } from '../../plot/measured-curves.js'
import { colours, seriesColours } from '../../plot/theme.js'

export type Look = Required<Pick<MeasuredCurve, 'colour' | 'shape'>>

const looks: Readonly<Record<string, Look>> = {
  'perfect knowledge': { colour: colours.ink, shape: 'cross' },
  LMMSE: { colour: '#009e73', shape: 'diamond' },
  'LS, linear': { colour: '#8c8c8c', shape: 'triangle-up' },
  'LS, nearest': { colour: '#cc79a7', shape: 'triangle-down' },
  dense: { colour: '#0072b2', shape: 'square' },
  spiking: { colour: '#d55e00', shape: 'circle' },
}

/** @param name as {@link Receiver} has it; one that is not known gets a colour of its own by its place */
export function lookOf(name: string, place = 0): Look {
  const known = Object.hasOwn(looks, name) ? looks[name] : undefined
  return known ?? { colour: spare[place % spare.length]!, shape: 'circle' }
}

const taken = new Set(Object.values(looks).map(({ colour }) => colour))
const spare = seriesColours.filter((colour) => !taken.has(colour))
