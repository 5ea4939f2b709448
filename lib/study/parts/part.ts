import type { ReportSection } from '../../report/section.js'

/** What a part is given. */
export interface StudyContext {
  readonly seed: number
  /** Shorter runs and fewer repetitions: the whole study in minutes. */
  readonly quick: boolean
  /** A folder of the part's own, for checkpoints and whatever it needs to go on after an interruption; made when missing. */
  readonly work: string
  /** Stops the part where it can be continued. */
  readonly signal: AbortSignal
  /** Says what is under way, and how much of the part is done (0 to 1). */
  progress(done: number, what: string): void
}

/** A part of the study: computes one chapter of the report. */
export interface StudyPart {
  /** On the command line, in file names, and as the anchor of the chapter. */
  readonly name: string
  /** One line for the help. */
  readonly summary: string
  /**
   * A finished section of the same seed, version and extent is taken from the folder instead of being computed again. For parts that take long.
   */
  readonly kept: boolean
  /** @throws AbortedError `ERR_ABORTED` when the signal stopped it */
  run(context: StudyContext): Promise<ReportSection>
}
