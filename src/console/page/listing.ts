import type { KeyRecord } from '../../model/key.ts'
import { PAGE_SIZE } from '../settings.ts'
import type { Api, Filter, KeyPage } from './api.ts'
import type { Problem } from './problem.ts'

/** The part of the list that is looked at: one page of it, however long it is. */
export interface Listing {
  /** `undefined` while it is being loaded for the first time. */
  page(): KeyPage | undefined
  problem(): Problem | undefined
  filter(): Filter
  /** Counted from 1. */
  number(): number
  isLoading(): boolean
  isFiltered(): boolean
  /** Whether there is nothing that could be narrowed. */
  isBare(): boolean
  load(): Promise<void>
  narrow(filter: Filter): Promise<void>
  next(): Promise<void>
  previous(): Promise<void>
  first(): Promise<void>
  /** Shows a record as it is now. */
  replace(record: KeyRecord): void
}

/** @param changed called whenever something else is to be shown */
export function createListing(api: Api, changed: () => void): Listing {
  let page: KeyPage | undefined
  let problem: Problem | undefined
  let filter: Filter = {}
  let loading = false
  /** Where each page began, up to this one: the way back. The first begins at no cursor. */
  let cursors: readonly (string | undefined)[] = [undefined]
  let asked = 0

  /** A page may come short while there is more behind it, where few of many keys are looked for: then it goes on. */
  async function load(): Promise<void> {
    const question = ++asked
    const found: KeyRecord[] = []
    let cursor = cursors.at(-1)
    loading = true
    changed()
    do {
      const answer = await api.list(filter, PAGE_SIZE, cursor)
      if (question !== asked) return // what was asked since is what is waited for
      problem = answer.ok ? undefined : answer.problem
      if (!answer.ok) break
      found.push(...answer.body.items)
      cursor = answer.body.cursor
    } while (cursor !== undefined && found.length < PAGE_SIZE)
    // Of a page after the first, the last key may have gone.
    if (problem === undefined && found.length === 0 && cursors.length > 1) return goTo(cursors.slice(0, -1))
    loading = false
    page = problem === undefined ? { items: found, ...(cursor === undefined ? {} : { cursor }) } : undefined
    changed()
  }

  function goTo(places: readonly (string | undefined)[]): Promise<void> {
    cursors = places
    return load()
  }

  const isFiltered = () => Object.values(filter).some(Boolean)
  const isShut = () => problem?.status === 401 || problem?.status === 403

  return {
    page: () => page,
    problem: () => problem,
    filter: () => filter,
    number: () => cursors.length,
    isLoading: () => loading,
    isFiltered,
    isBare: () => isShut() || (page?.items.length === 0 && !isFiltered()),
    load,
    narrow(wanted) {
      filter = wanted
      return goTo([undefined])
    },
    async next() {
      // While another page is on its way, what follows it is not known.
      if (!loading && page?.cursor !== undefined) await goTo([...cursors, page.cursor])
    },
    previous: () => goTo(cursors.length > 1 ? cursors.slice(0, -1) : cursors),
    first: () => goTo([undefined]),
    replace(record) {
      if (page === undefined) return
      page = { ...page, items: page.items.map((each) => (each.id === record.id ? record : each)) }
      changed()
    },
  }
}
