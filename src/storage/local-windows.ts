import type { Spend, Taken } from '../model/store.ts'
import { type Counted, NO_COUNTERS, take } from './counters.ts'
import { ownSpend } from './own-spend.ts'

interface LocalWindowsOptions {
  /**
   * How many are counted at most. Past that the oldest that has room makes place, or a full one that is over, or the
   * oldest full one where they have taken nine tenths of the places.
   * @default any number; those that are over are let go from time to time
   */
  readonly most?: number
}

interface Entry extends Counted {
  /** When all its windows are empty again. */
  until: number
  version: number
}

/** After this many newcomers at least, those whose windows are over are let go. */
const MANY = 10_000

/** Versions begin at random: one this far away is that of another key, which got the id after the first was removed. */
const FAR = 1_000_000

/** Counts windows in this process: for a store without `take`, whose other processes count their own. */
export function localWindows(
  options: LocalWindowsOptions = {},
): (id: string, version: number, spend: Spend, now: number) => Taken {
  const { most = Number.POSITIVE_INFINITY } = options
  const roomy = new Map<string, Entry>()
  const full = new Map<string, Entry>()
  let newcomers = 0

  return (id, version, spend, now) => {
    const found = roomy.get(id) ?? full.get(id)
    const known = found !== undefined && Math.abs(found.version - version) < FAR ? found : undefined
    const entry = known ?? { counters: NO_COUNTERS, until: 0, version }
    const taken = take(entry, ownSpend(spend), now)
    if (spend.cost === 0) return taken
    if (known === undefined) makePlace(now)
    entry.version = version
    entry.until = Math.max(entry.until, now + 2 * longest(spend))
    file(
      id,
      entry,
      taken.readings.some(({ remaining }) => remaining === 0),
    )
    return taken
  }

  function file(id: string, entry: Entry, isFull: boolean): void {
    const [to, from] = isFull ? [full, roomy] : [roomy, full]
    from.delete(id)
    to.set(id, entry)
  }

  function makePlace(now: number): void {
    if (++newcomers > Math.max(MANY, roomy.size + full.size)) sweep(now)
    if (roomy.size + full.size < most) return
    const [block] = full
    // Blocks are kept as long as they last, but leave a tenth of the places to those that are still counted.
    if (block !== undefined && (block[1].until < now || roomy.size < most / 10)) full.delete(block[0])
    else roomy.delete(roomy.keys().next().value as string)
  }

  /** Looks at all of them, so it waits until as many have come as there are. */
  function sweep(now: number): void {
    for (const entries of [roomy, full]) for (const [id, { until }] of entries) if (until < now) entries.delete(id)
    newcomers = 0
  }
}

function longest({ windows }: Spend): number {
  return windows.reduce((most, { ms }) => Math.max(most, ms), 0)
}
