import { isRecord } from '../model/is-object.ts'

const PREFIX = /^[a-z][a-z0-9_-]*[_-]$/
const LONGEST = 32
const ENVIRONMENT = /^[A-Za-z0-9_-]{1,32}$/

/** As written: one prefix, a list of which the first makes and all are read, or either by environment. */
export type PrefixOption = string | readonly string[] | { readonly [environment: string]: string | readonly string[] }

/** The prefixes of an instance. */
export interface Prefixes {
  /** All that are read. */
  readonly all: readonly string[]
  /** What makes keys: by environment where there are environments, else under `''`. */
  readonly makes: ReadonlyMap<string, string>
  readonly environments: readonly string[]
  /**
   * The one by which unique names are kept apart from those of other instances: the oldest of the first environment,
   * so that it stays the same when a prefix is renamed.
   */
  readonly oldest: string
}

/** Reads the option, or says what is wrong with it. */
export function compilePrefixes(option: unknown): Prefixes | string {
  const byEnvironment = isRecord(option) ? Object.entries(option) : [['', option] as const]
  if (byEnvironment.length === 0) return 'must name at least one environment'
  const makes = new Map<string, string>()
  const lists: string[][] = []
  for (const [environment, listed] of byEnvironment) {
    const list: readonly unknown[] = Array.isArray(listed) ? listed : [listed]
    const flaw =
      isRecord(option) && !ENVIRONMENT.test(environment)
        ? 'must have environments of letters, digits, _ and -'
        : flawIn(list)
    if (flaw !== undefined) return flaw
    makes.set(environment, list[0] as string)
    lists.push(list as string[])
  }
  const all = lists.flat()
  const environments = isRecord(option) ? [...makes.keys()] : []
  return clashIn(all) ?? { all, makes, environments, oldest: lists[0]?.at(-1) as string }
}

function flawIn(list: readonly unknown[]): string | undefined {
  if (list.length === 0) return 'must not be an empty list'
  for (const prefix of list) {
    if (typeof prefix !== 'string') return 'must be text, a list of texts, or either by environment'
    if (prefix.length > LONGEST) return `must be at most ${LONGEST} characters`
    if (!PREFIX.test(prefix)) {
      return 'must begin with a lower-case letter, go on with lower-case letters, digits, _ and -, and end with _ or -'
    }
  }
  return undefined
}

/**
 * What is wrong with prefixes side by side. Where one begins another, a key of the longer one would read as a
 * malformed key of the shorter one.
 */
export function clashIn(prefixes: readonly string[]): string | undefined {
  for (const [i, one] of prefixes.entries()) {
    const other = prefixes.find((candidate, j) => i !== j && candidate.startsWith(one))
    if (other !== undefined) return `must not begin one another, as ${one} begins ${other}`
  }
  return undefined
}
