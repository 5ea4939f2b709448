/** What a setup tells while it works. */
export type SetupEvent =
  /** A line for a person. */
  | { readonly type: 'note'; readonly text: string }
  /** Bytes of one file; `total` is null where the server doesn't say. */
  | {
      readonly type: 'progress'
      readonly work: 'download' | 'unpack' | 'copy' | 'check'
      readonly name: string
      readonly done: number
      readonly total: number | null
    }

export type Report = (event: SetupEvent) => void
