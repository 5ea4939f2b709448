/** What an evaluation tells, in words. */
import type { NetworkSpec } from '../model/spec.js'
import type { Evaluation } from '../train/evaluate.js'
import { layerTitle } from './layer-titles.js'
import { count, figure, percent } from './wording.js'

/** Accuracy, the classes that fail most, the mix-ups, and the firing rates. */
export function findings(evaluation: Evaluation, spec: NetworkSpec, classes: readonly string[]): string[] {
  return [accuracyLine(evaluation), ...classLines(evaluation.confusion, classes), ...rateLines(evaluation, spec)]
}

function accuracyLine({ accuracy, samples, loss }: Evaluation): string {
  const right = Math.round(accuracy * samples)
  return `Test accuracy: ${percent(accuracy)} (${count(right)} of ${count(samples)} images right), loss ${figure(loss)}.`
}

interface ClassErrors {
  readonly name: string
  readonly wrong: number
  readonly total: number
}

function classLines(confusion: readonly (readonly number[])[], classes: readonly string[]): string[] {
  const nameOf = (index: number): string => classes[index] ?? String(index)
  const errors = confusion
    .map((row, index): ClassErrors => {
      const total = row.reduce((sum, value) => sum + value, 0)
      return { name: nameOf(index), total, wrong: total - (row[index] ?? 0) }
    })
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.wrong / b.total - a.wrong / a.total)
  const [hardest, easiest] = [errors[0], errors.at(-1)]
  if (hardest === undefined || easiest === undefined) return []
  if (hardest.wrong === 0) return ['No image of any class was taken for another.']
  return [
    `Hardest class: ${classText(hardest)}; easiest: ${classText(easiest)}.`,
    `Most frequent mix-ups: ${mixUps(confusion, nameOf).join(', ')}.`,
  ]
}

function classText({ name, wrong, total }: ClassErrors): string {
  return `${name} (${wrong} of ${count(total)} wrong, ${percent(wrong / total, 1)})`
}

/** "4 taken for 9 (12 times)", the three most frequent. */
function mixUps(confusion: readonly (readonly number[])[], nameOf: (index: number) => string): string[] {
  return confusion
    .flatMap((row, truth) => row.map((times, taken) => ({ truth, taken, times })))
    .filter(({ truth, taken, times }) => truth !== taken && times > 0)
    .sort((a, b) => b.times - a.times)
    .slice(0, 3)
    .map(({ truth, taken, times }) => `${nameOf(truth)} taken for ${nameOf(taken)} (${times}×)`)
}

function rateLines({ firingRates, firingRate }: Evaluation, spec: NetworkSpec): string[] {
  const rates = Object.entries(firingRates)
  if (rates.length === 0) return []
  const layers = rates.map(([name, rate]) => `${layerTitle(spec, name)} ${figure(rate)}`).join(', ')
  const mean = rates.length > 1 ? `, mean ${figure(firingRate)}` : ''
  return [`Firing rates (spikes per neuron and time step)${mean}: ${layers}.`]
}
