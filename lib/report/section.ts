/** What was found, as data: the report, the pictures and the tables of numbers are made from it alone. */
export type Cell = string | number | boolean | null

export interface ReportColumn {
  readonly name: string
  /** Such as pA; none for a bare number. */
  readonly unit?: string
}

/** Numbers: all of them go into `data/<name>.csv`. */
export interface ReportTable {
  /** File name without extension, of this report alone: begins with the part's name where there are several. */
  readonly name: string
  readonly title: string
  readonly columns: readonly ReportColumn[]
  readonly rows: readonly (readonly Cell[])[]
  /** Left out of the report, which only names its file: too long to read. Default false. */
  readonly fileOnly?: boolean
}

export interface ReportPicture {
  /** File name without extension; begins with the part's name. */
  readonly name: string
  /** What to see in it, in a sentence or two. */
  readonly caption: string
  /** A Vega-Lite specification with its values inside. */
  readonly plot: object
}

export interface ReportParameter {
  readonly name: string
  readonly value: Cell
  readonly unit?: string
}

/** What stands above the chapters. */
export interface ReportHead {
  readonly title: string
  /** Paragraphs; what stands between backquotes is set as code. */
  readonly intro: readonly string[]
}

/** One chapter of the report. */
export interface ReportSection {
  /** The part's name. */
  readonly part: string
  readonly title: string
  /** What was done, in paragraphs. */
  readonly text: readonly string[]
  /** What came out, a sentence each; printed on the command line too. */
  readonly findings: readonly string[]
  readonly parameters: readonly ReportParameter[]
  readonly tables: readonly ReportTable[]
  readonly pictures: readonly ReportPicture[]
}

/** What a section was computed with. */
export interface ReportSettings {
  readonly seed: number
  /** Shorter runs and fewer repetitions, where there is such a choice. */
  readonly quick?: boolean
  readonly versions: ReportVersions
}

export interface ReportVersions {
  readonly spikingrx: string
  readonly libtorch: string
  readonly node: string
  readonly processor: string
}

/** A section as it lies in the folder. */
export interface StoredSection {
  readonly section: ReportSection
  readonly settings: ReportSettings
  readonly seconds: number
}
