/** What `setup` shows while it works: a bar on a terminal, else a line now and then. */
import type { SetupEvent } from '../runtime/setup/events.js'
import { print } from './command.js'
import { bytes, clock, percent } from './wording.js'

export interface SetupProgress extends Disposable {
  readonly report: (event: SetupEvent) => void
  /** A line for a person at once, whatever is shown. */
  note(text: string): void
}

type ProgressEvent = Extract<SetupEvent, { type: 'progress' }>

const WORDS = { download: 'downloading', unpack: 'unpacking', copy: 'copying', check: 'checking' } as const

export async function chooseSetupProgress(json: boolean): Promise<SetupProgress> {
  if (json) return lines((text) => void process.stderr.write(`${text}\n`))
  return process.stdout.isTTY ? bar(process.stdout) : lines(print)
}

/** Bytes a second of one piece of work, over all of it. */
class Pace {
  #key = ''
  #began = 0
  #from = 0

  /** 'downloading torch.whl: 12.3 MB of 182.9 MB, 6.72 %, 11.0 MB/s, 0:15 left' */
  text({ work, name, done, total }: ProgressEvent): string {
    const key = `${work} ${name}`
    const now = performance.now() / 1000
    if (key !== this.#key) {
      this.#key = key
      this.#began = now
      // What was there from an earlier run cost no time.
      this.#from = done
    }
    const speed = (done - this.#from) / Math.max(now - this.#began, 0.001)
    const parts = [total === null ? bytes(done) : `${bytes(done)} of ${bytes(total)}, ${percent(done / total, 0)}`]
    if (speed > 0) parts.push(`${bytes(speed)}/s`)
    if (speed > 0 && total !== null && done < total) parts.push(`${clock((total - done) / speed)} left`)
    return `${WORDS[work]} ${name}: ${parts.join(', ')}`
  }
}

/** A line every `seconds` or so while something takes longer than that. */
export function lines(write: (text: string) => void, seconds = 5): SetupProgress {
  const pace = new Pace()
  let key = ''
  let shown = 0
  return {
    report(event) {
      if (event.type === 'note') return write(event.text)
      const text = pace.text(event)
      const now = performance.now()
      const other = `${event.work} ${event.name}`
      if (other !== key) {
        key = other
        shown = now
        if (event.work === 'download')
          write(`downloading ${event.name}${event.total === null ? '' : ` (${bytes(event.total)})`}`)
        return
      }
      if (now - shown < seconds * 1000) return
      shown = now
      write(text)
    },
    note: write,
    [Symbol.dispose]: () => undefined,
  }
}

async function bar(terminal: NodeJS.WriteStream): Promise<SetupProgress> {
  const { default: cliProgress } = await import('cli-progress')
  const pace = new Pace()
  let text = ''
  let shown: InstanceType<typeof cliProgress.SingleBar> | undefined
  const hide = (): void => {
    shown?.stop()
    shown = undefined
  }
  const note = (line: string): void => {
    hide()
    terminal.write(`${line}\n`)
  }
  return {
    report(event) {
      if (event.type === 'note') return note(event.text)
      text = pace.text(event)
      const total = event.total ?? Math.max(1, event.done)
      if (shown === undefined) {
        shown = new cliProgress.SingleBar({
          stream: terminal,
          format: (_options, { progress }) => barText(text, progress, terminal.columns || 80),
          clearOnComplete: true,
          hideCursor: true,
          fps: 8,
        })
        shown.start(total, event.done)
      }
      shown.setTotal(total)
      shown.update(event.done)
      if (event.total !== null && event.done >= event.total) hide()
    },
    note,
    [Symbol.dispose]: hide,
  }
}

const BAR = 20

/** `━━━━━━━━──────────── downloading torch.whl: 12.3 MB of ...`, cut to the terminal. */
export function barText(text: string, progress: number, columns: number): string {
  const full = Math.round(BAR * Math.min(1, Math.max(0, progress)))
  return `${'━'.repeat(full)}${'─'.repeat(BAR - full)} ${text}`.slice(0, Math.max(10, columns - 1))
}
