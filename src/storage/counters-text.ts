import { KeywardError } from '../model/errors.ts'
import { addToLog, addToSlot, cell, type Leased, newCounter, type WindowCounter } from './window-counter.ts'
import { bringUp } from './window-leases.ts'

/** A window, whether it has slots, the oldest moment or slot, then gaps or counts. Moments are written as gaps, which are short. */
type Frozen = readonly [name: string, ms: number, slotted: 0 | 1, first: number, ...rest: number[]]

/** A window, 2 more than the above, and what is leased of it. */
type FrozenLeases = readonly [name: string, ms: number, slotted: 2 | 3, ...leases: FrozenLease[]]
type FrozenLease = readonly [id: string, until: number, units: number]

/** Counters as text, without those that are empty at `now`; `''` when all are. */
export function encodeCounters(counters: readonly WindowCounter[], now: number): string {
  const used: (Frozen | FrozenLeases)[] = []
  for (const counter of counters) {
    bringUp(counter, now)
    if (counter.length > 0) used.push(freeze(counter))
    if (counter.leases !== undefined) used.push(freezeLeases(counter, counter.leases))
  }
  return used.length === 0 ? '' : JSON.stringify(used)
}

/** Throws on text that is not of `encodeCounters`. */
export function decodeCounters(text: string): readonly WindowCounter[] {
  if (text === '') return []
  const all: unknown = JSON.parse(text)
  if (!Array.isArray(all)) throw new SyntaxError('no counters')
  const counters: WindowCounter[] = []
  for (const item of all) {
    if (isFrozen(item)) counters.push(revive(item))
    else if (isFrozenLeases(item)) reviveLeases(item, counters)
    else throw new SyntaxError('no counter')
  }
  return counters
}

/** The counters of a key from its row. @throws KeywardError `STORE` where they are damaged */
export function readCounters(text: string, id: string): readonly WindowCounter[] {
  try {
    return decodeCounters(text)
  } catch {
    throw new KeywardError('STORE', `the counters of ${id} are damaged`)
  }
}

function freeze(counter: WindowCounter): Frozen {
  const { name, ms, slotted, first, length } = counter
  const cells = Array.from({ length }, (_, at) => cell(counter, at))
  if (slotted) return [name, ms, 1, first, ...cells]
  const gaps = cells.slice(1).map((moment, at) => moment - (cells[at] as number))
  return [name, ms, 0, cell(counter, 0), ...gaps]
}

function revive([name, ms, slotted, first, ...rest]: Frozen): WindowCounter {
  const counter = newCounter(name, ms)
  counter.slotted = slotted === 1
  if (counter.slotted) {
    for (const [at, units] of rest.entries()) addToSlot(counter, first + at, units)
    return counter
  }
  let moment = first
  addToLog(counter, moment, 1)
  for (const gap of rest) {
    moment += gap
    addToLog(counter, moment, 1)
  }
  return counter
}

function freezeLeases({ name, ms, slotted }: WindowCounter, leases: readonly Leased[]): FrozenLeases {
  return [name, ms, slotted ? 3 : 2, ...leases.map(({ id, until, units }): FrozenLease => [id, until, units])]
}

/** They stand behind the units of their window, where it has any. */
function reviveLeases([name, ms, slotted, ...leases]: FrozenLeases, counters: WindowCounter[]): void {
  const last = counters.at(-1)
  let counter = last !== undefined && last.name === name && last.ms === ms ? last : undefined
  if (counter === undefined) {
    counter = newCounter(name, ms)
    counter.slotted = slotted === 3
    counters.push(counter)
  }
  counter.leases = leases.map(([id, until, units]) => ({ id, until, units }))
  for (const [, , units] of leases) counter.used += units
}

function isFrozen(value: unknown): value is Frozen {
  if (!Array.isArray(value) || value.length < 4) return false
  const [name, , slotted] = value
  return typeof name === 'string' && (slotted === 0 || slotted === 1) && value.slice(1).every(isCount)
}

function isFrozenLeases(value: unknown): value is FrozenLeases {
  if (!Array.isArray(value) || value.length < 4) return false
  const [name, ms, slotted, ...leases] = value
  if (typeof name !== 'string' || !isCount(ms) || (slotted !== 2 && slotted !== 3)) return false
  return leases.every((lease) => {
    if (!Array.isArray(lease) || lease.length !== 3) return false
    const [id, until, units] = lease
    return typeof id === 'string' && isCount(until) && isCount(units)
  })
}

function isCount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0
}
