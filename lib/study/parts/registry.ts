import { activationsPart } from './activations.js'
import { firingCurvePart } from './firing-curve.js'
import { frontPart } from './front.js'
import { networksPart } from './networks.js'
import { neuronPart } from './neuron.js'
import type { StudyPart } from './part.js'

/** The parts in the order of the report. Another one is a line here and a file beside this one. */
export const studyParts: readonly StudyPart[] = [neuronPart, firingCurvePart, activationsPart, networksPart, frontPart]
