/** What a part of the study found, as data: the report, the pictures and the tables of numbers are made from it alone. */
export type Cell = string | number | boolean | null

export interface StudyColumn {
  readonly name: string
  /** Such as pA; none for a bare number. */
  readonly unit?: string
}

/** Numbers: all of them go into `data/<name>.csv`. */
export interface StudyTable {
  /** File name without extension, of this study alone: begins with the part's name. */
  readonly name: string
  readonly title: string
  readonly columns: readonly StudyColumn[]
  readonly rows: readonly (readonly Cell[])[]
  /** Left out of the report, which only names its file: too long to read. Default false. */
  readonly fileOnly?: boolean
}

export interface StudyPicture {
  /** File name without extension; begins with the part's name. */
  readonly name: string
  /** What to see in it, in a sentence or two. */
  readonly caption: string
  /** A Vega-Lite specification with its values inside. */
  readonly plot: object
}

export interface StudyParameter {
  readonly name: string
  readonly value: Cell
  readonly unit?: string
}

/** One chapter of the report. */
export interface StudySection {
  /** The part's name. */
  readonly part: string
  readonly title: string
  /** What was done, in paragraphs. */
  readonly text: readonly string[]
  /** What came out, a sentence each; printed on the command line too. */
  readonly findings: readonly string[]
  readonly parameters: readonly StudyParameter[]
  readonly tables: readonly StudyTable[]
  readonly pictures: readonly StudyPicture[]
}

/** What a section was computed with. */
export interface StudySettings {
  readonly seed: number
  /** Shorter runs and fewer repetitions. */
  readonly quick: boolean
  readonly versions: StudyVersions
}

export interface StudyVersions {
  readonly spikingrx: string
  readonly libtorch: string
  readonly node: string
  readonly processor: string
}

/** A section as it lies in the folder. */
export interface StoredSection {
  readonly section: StudySection
  readonly settings: StudySettings
  readonly seconds: number
}
