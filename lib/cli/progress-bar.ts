/** A live bar on a terminal. Loaded only where there is one. */
import cliProgress from 'cli-progress'
import { epochLine, type Progress, RunningFigures } from './progress.js'
import { clock, count, percent } from './wording.js'

const WIDEST_BAR = 30
const NARROWEST_BAR = 6

/** One bar for the whole run; each epoch leaves a line above it. */
export function barProgress(terminal: NodeJS.WriteStream): Progress {
  const run = new RunningFigures()
  let bar: cliProgress.SingleBar | undefined

  const show = (): void => {
    bar = new cliProgress.SingleBar({
      stream: terminal,
      format: (_options, { progress }) => barLine(run, progress, terminal.columns || 80),
      clearOnComplete: true,
      hideCursor: true,
      fps: 8,
    })
    bar.start(run.totalSteps ?? 1, run.step)
  }
  const hide = (): void => {
    bar?.stop()
    bar = undefined
  }
  const between = (text: string): void => {
    const shown = bar !== undefined
    hide()
    terminal.write(`${text}\n`)
    if (shown) show()
  }
  return {
    event(event) {
      run.add(event)
      if (event.type === 'step') {
        if (bar === undefined) show()
        bar?.update(event.step)
      }
      if (event.type === 'epoch') between(epochLine(event, run.epochs))
      if (event.type === 'end') hide()
    },
    tell: (_report, lines) => between(lines.join('\n')),
    note: between,
    [Symbol.dispose]: hide,
  }
}

/** `epoch 2/3 ━━━━━━━━────── 45 %  loss 0.123  acc 96.1 %  1,234/s  rate 0.112  1:05 left`, as much of it as fits. */
export function barLine(run: RunningFigures, progress: number, columns: number): string {
  const head = `epoch ${run.epoch}/${run.epochs}`
  const share = `${Math.floor(100 * progress)} %`.padStart(5)
  const figures = [
    `loss ${steady(run.loss)}`,
    ...(Number.isNaN(run.accuracy) ? [] : [`acc ${percent(run.accuracy, 1)}`]),
    `${clock(run.secondsLeft)} left`,
    `${count(run.samplesPerSecond)}/s`,
    ...(Number.isNaN(run.firingRate) ? [] : [`rate ${steady(run.firingRate)}`]),
  ]
  // The last ones give way first where the terminal is narrow.
  while (figures.length > 0 && roomForBar(columns, head, share, figures) < NARROWEST_BAR) figures.pop()
  const width = Math.max(0, Math.min(WIDEST_BAR, roomForBar(columns, head, share, figures)))
  const full = Math.round(width * progress)
  return `${head} ${'━'.repeat(full)}${'─'.repeat(width - full)}${share}  ${figures.join('  ')}`
}

function roomForBar(columns: number, head: string, share: string, figures: readonly string[]): number {
  return columns - 1 - head.length - 1 - share.length - 2 - figures.join('  ').length
}

/** Of one width from step to step, so that the bar does not jump. */
function steady(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : '-'
}
