import type { Config, TopLevelSpec } from 'vega-lite'

/** A picture as data: a Vega-Lite specification with its values inside. */
export type PlotSpec = TopLevelSpec

/**
 * Colours by role. Okabe and Ito's palette ("Color Universal Design", 2008), told apart with any colour vision; where two meet in
 * one picture they also differ in shape or dash.
 */
export const colours = {
  input: '#8c8c8c',
  membrane: '#0072b2',
  threshold: '#d62728',
  spike: '#e69f00',
  train: '#0072b2',
  validation: '#d55e00',
  before: '#8c8c8c',
  after: '#0072b2',
  bar: '#0072b2',
  ink: '#222222',
  faint: '#d9d9d9',
} as const

/** For series without a role of their own. */
export const seriesColours: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#222222',
  '#8c8c8c',
]

/** Blue below zero, white at zero, red above. */
export const divergingColours: readonly string[] = ['#0000ff', '#ffffff', '#ff0000']

/** White to dark blue, monotone in lightness. */
export const sequentialColours: readonly string[] = ['#ffffff', '#c6dbef', '#6baed6', '#2171b5', '#08306b']

/** Black to white, as images are stored. */
export const greyColours: readonly string[] = ['#000000', '#ffffff']

/** DejaVu Sans is shipped and measured; Verdana has the same widths where a viewer lacks it. */
export const fontFamily = 'DejaVu Sans, Verdana, sans-serif'

const config: Config = {
  font: fontFamily,
  background: '#ffffff',
  padding: 12,
  // Screen-reader text on every mark would treble the size of an image grid.
  aria: false,
  view: { stroke: null },
  title: {
    anchor: 'start',
    color: colours.ink,
    fontSize: 15,
    fontWeight: 'bold',
    subtitleColor: '#555555',
    subtitleFontSize: 11,
    subtitlePadding: 5,
    offset: 14,
  },
  header: { labelColor: colours.ink, labelFontSize: 11, title: null },
  axis: {
    labelColor: colours.ink,
    titleColor: colours.ink,
    labelFontSize: 10,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: '#ececec',
    domainColor: '#888888',
    tickColor: '#888888',
    labelOverlap: true,
    labelFlush: false,
    labelLimit: 0,
  },
  legend: {
    labelColor: colours.ink,
    titleColor: colours.ink,
    labelFontSize: 10,
    titleFontSize: 10,
    titleFontWeight: 'normal',
    symbolStrokeWidth: 2,
    symbolSize: 60,
    labelLimit: 0,
    titleLimit: 0,
  },
}

/** A title and what a reader must know to trust the picture: what was left out, averaged or measured. */
export interface PlotTitle {
  readonly text: string
  readonly subtitle?: readonly string[]
}

/** Puts `body` (marks, panels, data) into the common frame: title, look, white background. */
export function framed(title: PlotTitle, body: object): PlotSpec {
  const subtitle = (title.subtitle ?? []).filter((line) => line !== '')
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config,
    title: { text: title.text, ...(subtitle.length > 0 ? { subtitle } : {}) },
    ...body,
  } as PlotSpec
}
