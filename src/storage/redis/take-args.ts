import type { SpendWindow } from '../../model/store.ts'
import { escapeText } from '../escaping.ts'
import { checkWhole } from '../spends.ts'

/** What was said last. */
let said: { readonly windows: readonly SpendWindow[]; readonly text: string } = { windows: [], text: '' }

/** As the scripts keep them beside the counters. Most keys have the same: that is not made again. */
export function wantedOf(windows: readonly SpendWindow[]): string {
  if (windows.length === said.windows.length && windows.every(isSaid)) return said.text
  let text = ''
  for (const { limit, ms, name } of windows) text += `${limit}:${ms}:${escapeText(name)}\0`
  said = { windows: windows.map(({ limit, ms, name }) => ({ limit, ms, name })), text }
  return text
}

function isSaid({ limit, ms, name }: SpendWindow, at: number): boolean {
  const before = said.windows[at]
  return limit === before?.limit && ms === before.ms && name === before.name
}

/** One for all where they are alike, which is the rule. */
export function costsOf(windows: readonly SpendWindow[], common: number): string {
  let areAlike = true
  const costs = windows.map(({ cost: its = common }) => {
    checkWhole('cost', its)
    if (its !== common) areAlike = false
    return its
  })
  return areAlike ? String(common) : costs.join(' ')
}
