/** Something that was done to keys, as it is kept for whoever asks later. */
export interface Note {
  /** 1 to 64 letters, digits and `-`: notes of one moment go by it. */
  readonly id: string
  /** When it was done, ms. */
  readonly at: number
  /** Whose keys; `''` where it concerned no single owner. */
  readonly owner: string
  /** The id of the key; absent where it was done to several, or to a balance. */
  readonly key?: string
  /** Of the key. */
  readonly prefix?: string
  readonly resource?: string
  readonly actor?: string
  /** Everything else, as text: at most 64 KiB. */
  readonly data: string
}

/** What is kept of notes. */
export interface NotesKept {
  /** Of each owner, the newest so many. */
  readonly most: number
  /** What is older than this (ms) may go. */
  readonly since: number
}

/** Which notes. Every field that is there must match exactly, byte for byte. */
export interface NotesQuery {
  readonly owner: string
  /** Of keys of these prefixes, and those without one. */
  readonly prefixes?: readonly string[]
  readonly key?: string
  readonly resource?: string
  readonly actor?: string
  /** None older than this, ms. */
  readonly since: number
  readonly limit: number
  /** As an earlier page gave it. */
  readonly cursor?: string
}

export interface NotesPage {
  readonly items: readonly Note[]
  /** Where the next page begins; absent on the last. A page may be short while it is present. */
  readonly cursor?: string
}
