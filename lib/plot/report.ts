import { join } from 'node:path'
import { type ConfusionMatrix, confusionMatrix } from './confusion-matrix.js'
import { type FeatureMaps, featureMapGrid } from './feature-maps.js'
import { type FilterBank, filterGrid } from './filters.js'
import { type FiringRatesOptions, firingRates, type LayerRate } from './firing-rates.js'
import { type InputImage, inputImage } from './input-image.js'
import { type LearningHistory, learningCurves } from './learning-curves.js'
import { type MembraneTracesOptions, membraneTraces, type NeuronTrace } from './membrane-traces.js'
import { type PlotFormat, savePlot } from './render.js'
import { type LayerSpikes, type SpikeRasterOptions, spikeRaster } from './spike-raster.js'
import type { PlotSpec } from './theme.js'

/** What a training run has to show, as plain numbers. What is left out is not drawn. */
export interface RunPictures {
  readonly history?: LearningHistory
  readonly raster?: { readonly layers: readonly LayerSpikes[]; readonly options?: SpikeRasterOptions }
  readonly traces?: { readonly neurons: readonly NeuronTrace[]; readonly options?: MembraneTracesOptions }
  readonly filters?: FilterBank
  readonly featureMaps?: FeatureMaps
  readonly confusion?: ConfusionMatrix
  readonly rates?: { readonly layers: readonly LayerRate[]; readonly options?: FiringRatesOptions }
  readonly input?: InputImage
}

/**
 * Writes the pictures of a training run into `directory`: learning-curves, spike-raster, membrane-traces, first-layer-filters,
 * feature-maps, confusion-matrix, firing-rates and input-image, each as SVG and PNG.
 *
 * @returns the files written
 * @throws ShapeError, ArgumentError when numbers do not fit their shapes, before the picture is written
 */
export async function writeRunPictures(
  directory: string,
  run: RunPictures,
  formats: readonly PlotFormat[] = ['svg', 'png'],
): Promise<string[]> {
  const files: string[] = []
  for (const [name, spec] of runPlots(run)) files.push(...(await savePlot(join(directory, name), spec, formats)))
  return files
}

/** The pictures of a run by file name, not yet drawn. */
export function runPlots(run: RunPictures): ReadonlyMap<string, PlotSpec> {
  const plots = new Map<string, PlotSpec>()
  if (run.history) plots.set('learning-curves', learningCurves(run.history))
  if (run.raster) plots.set('spike-raster', spikeRaster(run.raster.layers, run.raster.options))
  if (run.traces) plots.set('membrane-traces', membraneTraces(run.traces.neurons, run.traces.options))
  if (run.filters) plots.set('first-layer-filters', filterGrid(run.filters))
  if (run.featureMaps) plots.set('feature-maps', featureMapGrid(run.featureMaps))
  if (run.confusion) plots.set('confusion-matrix', confusionMatrix(run.confusion))
  if (run.rates) plots.set('firing-rates', firingRates(run.rates.layers, run.rates.options))
  if (run.input) plots.set('input-image', inputImage(run.input))
  return plots
}
