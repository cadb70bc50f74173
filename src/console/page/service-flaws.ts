import type { Problem } from './problem.ts'
import type { Say } from './texts.ts'
import { windowText } from './windows.ts'

type Body = Readonly<Record<string, unknown>>

/**
 * What the service found wrong, by field of the form. Its own words are English: each field is told here by its rule, in
 * the reader's language.
 * @param sent the body that was refused
 */
export function serviceFlaws({ issues }: Problem, sent: object, say: Say): Readonly<Record<string, string>> {
  const told: Record<string, string> = {}
  for (const { path } of issues) {
    const [field = '', part = ''] = path.split('.')
    told[field] ??= flawOf(field, part, sent as Body, say)
  }
  return told
}

const LONGEST = new Map([
  ['name', 100],
  ['resource', 256],
  ['description', 1000],
])

function flawOf(field: string, part: string, sent: Body, say: Say): string {
  const most = LONGEST.get(field)
  if (most !== undefined) return say('textRefused', { most })
  if (field === 'expiresAt') return say('expiryRefused')
  const value = sent[field]
  if (field === 'limits') return say('limitRefused', { window: windowText(windowOf(part, value), say) })
  const text = Array.isArray(value) ? value[Number(part || Number.NaN)] : value
  return typeof text === 'string' ? say('valueRefused', { text }) : say('fieldRefused')
}

/** Limits are an object by window, or a list of windows that have names. */
function windowOf(part: string, limits: unknown): string {
  return Array.isArray(limits) ? String(limits[Number(part)]?.name) : part
}
