/** Pictures: functions from plain numbers to Vega-Lite specifications, and their renderer. */
export { type Classes, type ConfusionMatrix, confusionCounts, confusionMatrix } from './confusion-matrix.js'
export { type ConstellationPanel, type Constellations, constellations } from './constellations.js'
export { type FeatureMaps, featureMapGrid } from './feature-maps.js'
export { type FilterBank, filterGrid } from './filters.js'
export { type FiringRatesOptions, firingRates, type LayerRate } from './firing-rates.js'
export { type BarSeries, type GroupedBars, groupedBars } from './grouped-bars.js'
export {
  binCounts,
  type HistogramOptions,
  type HistogramPanel,
  type HistogramSeries,
  histograms,
} from './histogram.js'
export { type GridColours, type GridImage, type ImageGrid, imageGrid } from './image-grid.js'
export { type InputImage, inputImage } from './input-image.js'
export { type LearningHistory, type LearningPoint, learningCurves } from './learning-curves.js'
export { type ChartSeries, type LineChart, lineChart } from './line-chart.js'
export { type LinePanel, type LinePanels, linePanels, type PanelLine } from './line-panels.js'
export { type MeasuredCurve, type MeasuredCurves, type MeasuredPoint, measuredCurves } from './measured-curves.js'
export { type MembraneTracesOptions, membraneTraces, type NeuronTrace } from './membrane-traces.js'
export { type PlotFormat, renderPng, renderSvg, savePlot } from './render.js'
export { type RunPictures, runPlots, writeRunPictures } from './report.js'
export type { Samples } from './samples.js'
export { type LayerSpikes, type SpikeRasterOptions, spikeRaster } from './spike-raster.js'
export { framed, type PlotSpec, type PlotTitle } from './theme.js'
export { type VoltageTrace, voltageTraces } from './voltage-traces.js'
