/** Pictures of trained networks. */
import { lineChart } from '../../plot/index.js'
import type { ReportPicture } from '../../report/section.js'
import { meanOf } from './spread.js'
import type { TrainedNetwork } from './train.js'

/** Test accuracy after each epoch: the mean over seeds as a line, each seed as points. */
export function learningPicture(
  name: string,
  kinds: Readonly<Record<string, readonly TrainedNetwork[]>>,
): ReportPicture {
  const entries = Object.entries(kinds)
  const epochs = (networks: readonly TrainedNetwork[]): number[] => networks[0]!.curve.map(({ epoch }) => epoch)
  const lines = entries.map(([kind, networks]) => ({
    name: kind,
    x: epochs(networks),
    y: epochs(networks).map((_, i) => meanOf(networks.map(({ curve }) => 100 * curve[i]!.testAccuracy))),
  }))
  const points = entries.map(([kind, networks]) => ({
    name: `${kind}, each seed`,
    x: networks.flatMap(({ curve }) => curve.map(({ epoch }) => epoch)),
    y: networks.flatMap(({ curve }) => curve.map(({ testAccuracy }) => 100 * testAccuracy)),
    style: 'points' as const,
  }))
  return {
    name,
    caption: `Test accuracy after each epoch, mean of ${entries[0]![1].length} seeds and each of them.`,
    plot: lineChart({
      series: [...lines, ...points],
      xTitle: 'epoch',
      yTitle: 'test accuracy (%)',
      title: 'Learning MNIST',
      xWhole: true,
    }),
  }
}

/** A network in the plane of energy and accuracy. */
export interface FrontPoint {
  readonly name: string
  /** Points of one group share a colour. */
  readonly group: string
  /** nJ, with neuron updates. */
  readonly energy: number
  /** 0 to 1 */
  readonly accuracy: number
}

/** Points that no other one beats in both: no more energy, and higher accuracy; from the cheapest on. */
export function paretoFront<Point extends Pick<FrontPoint, 'energy' | 'accuracy'>>(
  points: readonly Point[],
): readonly Point[] {
  const front: Point[] = []
  const byEnergy = [...points].sort((a, b) => a.energy - b.energy || b.accuracy - a.accuracy)
  for (const point of byEnergy) if (point.accuracy > (front.at(-1)?.accuracy ?? -1)) front.push(point)
  return front
}

/**
 * Accuracy over energy, with the goal as two lines: a tenth of the dense network's energy, 0.3 points below its accuracy.
 *
 * @param dense what the goal is measured from
 */
export function frontPlot(
  points: readonly FrontPoint[],
  dense: Pick<FrontPoint, 'energy' | 'accuracy'>,
  goal: { readonly factor: number; readonly points: number },
): object {
  const groups = [...new Set(points.map(({ group }) => group))]
  const front = paretoFront(points)
  const lowest = Math.min(...points.map(({ accuracy }) => accuracy))
  const highest = Math.max(...points.map(({ accuracy }) => accuracy))
  const energies = points.map(({ energy }) => energy)
  const series = (name: string, chosen: readonly FrontPoint[]) => ({
    name,
    x: chosen.map(({ energy }) => energy),
    y: chosen.map(({ accuracy }) => 100 * accuracy),
  })
  const wanted = 100 * dense.accuracy - goal.points
  return lineChart({
    series: [
      ...groups.map((group) => ({
        ...series(
          group,
          points.filter((point) => point.group === group),
        ),
        style: 'points' as const,
      })),
      series('front', front),
      {
        name: `1/${goal.factor} of dense`,
        x: [dense.energy / goal.factor, dense.energy / goal.factor],
        y: [100 * lowest, 100 * highest],
        style: 'dashed' as const,
      },
      {
        name: `dense − ${goal.points} points`,
        x: [Math.min(...energies), Math.max(...energies)],
        y: [wanted, wanted],
        style: 'dashed' as const,
      },
    ],
    xTitle: 'energy proxy for an image (nJ), everything counted',
    yTitle: 'test accuracy (%)',
    title: 'Accuracy and energy',
    xScale: 'log',
  })
}
