/** How long an experience with a row counts, ms. */
const LASTS = 1_000
/** Rows that are remembered: one more, and all are forgotten, which costs statements and nothing else. */
const MOST = 1_000

/** Rows with which, as of late, the unusual way was the shorter. */
interface Detours {
  has(row: string): boolean
  note(row: string): void
  forget(row: string): void
}

export function detoursOf(now = () => performance.now()): Detours {
  const until = new Map<string, number>()
  return {
    has: (row) => (until.get(row) ?? 0) > now(),
    note(row) {
      if (until.size === MOST) until.clear()
      until.set(row, now() + LASTS)
    },
    forget: (row) => void until.delete(row),
  }
}
