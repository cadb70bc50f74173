import type { Window } from '../model/limits.ts'
import type { MeterReading } from '../model/store.ts'

/** Up to this limit the moment of every unit is remembered; above it, units are counted in sub-windows. */
export const LONGEST_LOG = 100
/** Sub-windows of a window. The one that `now - ms` falls into is counted whole: so a steady client loses 1 in 97. */
export const SLOTS = 96
const SMALLEST_RING = 4
/** As many cells as a log has entries, or as slots a window can touch (97): no window ever needs more. */
const LARGEST_RING = 100

/**
 * What one window of one key admitted, in a ring of `length` cells from `head`, the oldest first. In a log a cell is
 * the moment of one unit; else it holds the units of one slot, and `first` numbers the oldest, which is never empty.
 *
 * The ring is a plain array of doubles: a small one takes a third of what a typed array does.
 */
export interface WindowCounter {
  readonly name: string
  readonly ms: number
  slotted: boolean
  ring: number[]
  head: number
  length: number
  first: number
  /** When the oldest leaves, as `advance` last found it; 0 where there was none then, or it is not known. */
  leaves: number
  /** Units that count now, leased ones with them: right after `bringUp`. */
  used: number
  /** What was taken to be used later, in order of the ends; absent, never empty. */
  leases: readonly Leased[] | undefined
}

/** Units that one process uses until `until`, of which it may give back what it did not use. */
export interface Leased {
  readonly id: string
  readonly until: number
  readonly units: number
}

export function newCounter(name: string, ms: number): WindowCounter {
  return {
    name,
    ms,
    slotted: false,
    ring: newRing(SMALLEST_RING),
    head: 0,
    length: 0,
    first: 0,
    leaves: 0,
    used: 0,
    leases: undefined,
  }
}

/**
 * Brings the units of a counter to `now`, which every other function here relies on: what has left the window is forgotten.
 *
 * A counter's time never runs back by a window or less: calls that arrive out of order, and processes whose clocks
 * differ, find it standing at the newest entry, so that no entry loses time. When `now` lies further back, the clock
 * itself was set: what was taken since becomes a thing of now. Either way it is all gone two windows later.
 */
export function advance(counter: WindowCounter, now: number): void {
  // Nearly always nothing has left, nor has a clock been set back.
  if (now < counter.leaves && now > counter.leaves - counter.ms) return
  if (counter.slotted) advanceSlots(counter, slotOf(now, counter.ms))
  else advanceLog(counter, now)
  counter.leaves = counter.length && oldestLeaves(counter)
}

/**
 * Adds units that were found to fit, none before those that are there. A log becomes slots when the limit outgrows it;
 * slots last until they are empty.
 */
export function add(counter: WindowCounter, limit: number, units: number, now: number): void {
  fitTo(counter, limit)
  addAt(counter, units, now)
}

export function fitTo(counter: WindowCounter, limit: number): void {
  const large = limit > LONGEST_LOG
  if (counter.used === 0) counter.slotted = large
  else if (large && !counter.slotted) becomeSlots(counter)
}

export function addAt(counter: WindowCounter, units: number, moment: number): void {
  if (counter.slotted) addToSlot(counter, slotOf(moment, counter.ms), units)
  else addToLog(counter, moment, units)
}

/** The window as it is told; `counter` is absent where nothing was ever taken. */
export function readingOf(window: Window, counter: WindowCounter | undefined, now: number): MeterReading {
  const { name, limit } = window
  if (counter === undefined || counter.used === 0) return { name, limit, remaining: limit, resetsAt: now }
  const { used } = counter
  if (used <= limit) return { name, limit, remaining: limit - used, resetsAt: gone(counter, 1) }
  // The limit was lowered below what is used: one is free when the surplus and one more have gone.
  return { name, limit, remaining: 0, resetsAt: gone(counter, used - limit + 1) }
}

/** When `units` would fit: `now` if they do, `undefined` if they never will. */
export function fitsAt(
  window: Window,
  counter: WindowCounter | undefined,
  units: number,
  now: number,
): number | undefined {
  if (units > window.limit) return undefined
  const surplus = (counter?.used ?? 0) + units - window.limit
  return counter === undefined || surplus <= 0 ? now : gone(counter, surplus)
}

function advanceLog(counter: WindowCounter, now: number): void {
  if (counter.length === 0) return
  if (newestOf(counter) - now > counter.ms) foldLog(counter, now)
  const time = Math.max(now, newestOf(counter))
  while (counter.length > 0 && time - cell(counter, 0) >= counter.ms) drop(counter, 1)
}

/** The clock was set back: what was taken in times to come is counted as of now. */
function foldLog(counter: WindowCounter, now: number): void {
  for (let at = counter.length - 1; at >= 0 && cell(counter, at) > now; at--) setCell(counter, at, now)
}

function advanceSlots(counter: WindowCounter, slot: number): void {
  if (counter.length === 0) return
  if (newestSlotOf(counter) - slot > SLOTS) foldSlots(counter, slot)
  const present = Math.max(slot, newestSlotOf(counter))
  while (counter.length > 0) {
    const units = cell(counter, 0)
    if (units > 0 && counter.first >= present - SLOTS) return
    drop(counter, units)
  }
}

/** The same in slots: those to come are counted in the present one. */
function foldSlots(counter: WindowCounter, slot: number): void {
  if (counter.first > slot) counter.first = slot
  const present = slot - counter.first
  let units = 0
  for (let at = present; at < counter.length; at++) units += cell(counter, at)
  setCell(counter, present, units)
  counter.length = present + 1
}

/** Of a log that is not empty. */
function newestOf(counter: WindowCounter): number {
  return cell(counter, counter.length - 1)
}

function newestSlotOf(counter: WindowCounter): number {
  return counter.first + counter.length - 1
}

function drop(counter: WindowCounter, units: number): void {
  counter.used -= units
  counter.first++
  counter.length--
  counter.head = place(counter, 1)
}

export function addToLog(counter: WindowCounter, moment: number, units: number): void {
  const length = counter.length + units
  if (length > counter.ring.length) grow(counter, length)
  const time = counter.length === 0 ? moment : Math.max(moment, newestOf(counter))
  for (let at = counter.length; at < length; at++) setCell(counter, at, time)
  counter.length = length
  counter.used += units
}

export function addToSlot(counter: WindowCounter, slot: number, units: number): void {
  if (counter.length === 0) counter.first = slot
  const present = Math.max(slot - counter.first, counter.length - 1)
  if (present >= counter.ring.length) grow(counter, present + 1)
  while (counter.length <= present) setCell(counter, counter.length++, 0)
  setCell(counter, present, cell(counter, present) + units)
  counter.used += units
}

/** Nothing is lost, and what was a moment counts until its whole slot has gone. */
function becomeSlots(counter: WindowCounter): void {
  const moments = Array.from({ length: counter.length }, (_, at) => cell(counter, at))
  counter.slotted = true
  counter.length = 0
  counter.used -= moments.length
  for (const moment of moments) addToSlot(counter, slotOf(moment, counter.ms), 1)
  counter.leaves = 0
}

function oldestLeaves(counter: WindowCounter): number {
  return counter.slotted ? slotLeaves(counter.first, counter.ms) : cell(counter, 0) + counter.ms
}

/** When the oldest `units` of a counter that is not empty will have left the window; all of them, if it has fewer. */
function gone(counter: WindowCounter, units: number): number {
  const { leaves, leases } = counter
  if (units === 1 && leaves > 0 && leases === undefined) return Math.ceil(leaves)
  if (leases !== undefined) {
    const ahead = units - leases.reduce((left, leased) => left - leased.units, counter.used)
    if (ahead > 0) return lastGone(counter, leases, ahead)
  }
  if (!counter.slotted) return Math.ceil(cell(counter, Math.min(units, counter.length) - 1) + counter.ms)
  let at = 0
  for (let left = units - cell(counter, 0); left > 0 && at < counter.length - 1; ) left -= cell(counter, ++at)
  return slotLeaves(counter.first + at, counter.ms)
}

/** What is leased goes last, as if all of it were used at the end. */
function lastGone({ slotted, ms }: WindowCounter, leases: readonly Leased[], units: number): number {
  let at = 0
  for (let left = units - (leases[0] as Leased).units; left > 0 && at < leases.length - 1; ) {
    left -= (leases[++at] as Leased).units
  }
  const { until } = leases[at] as Leased
  return slotted ? slotLeaves(slotOf(until, ms), ms) : Math.ceil(until + ms)
}

/** Whole milliseconds only: so that an interval of `ms` touches 97 slots at most, whatever the rounding. */
function slotOf(moment: number, ms: number): number {
  return Math.floor((Math.floor(moment) * SLOTS) / ms)
}

function slotLeaves(slot: number, ms: number): number {
  return Math.ceil(((slot + SLOTS + 1) * ms) / SLOTS)
}

export function cell(counter: WindowCounter, at: number): number {
  return counter.ring[place(counter, at)] as number
}

function setCell(counter: WindowCounter, at: number, value: number): void {
  counter.ring[place(counter, at)] = value
}

function place(counter: WindowCounter, at: number): number {
  const index = counter.head + at
  return index < counter.ring.length ? index : index - counter.ring.length
}

function grow(counter: WindowCounter, needed: number): void {
  const ring = newRing(Math.min(LARGEST_RING, Math.max(needed, counter.ring.length * 2)))
  for (let at = 0; at < counter.length; at++) ring[at] = cell(counter, at)
  counter.ring = ring
  counter.head = 0
}

/** NaN makes the engine lay the array out as doubles from the start. */
function newRing(size: number): number[] {
  return new Array<number>(size).fill(Number.NaN)
}
