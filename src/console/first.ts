import type { ApiKeys } from '../api-keys.ts'
import type { Authority } from '../http/management/authority.ts'
import { inTime } from '../model/timer.ts'
import type { Language } from './language.ts'
import { type ConsoleSettings, FIRST_KEYS, PAGE_SIZE, SETTINGS, textsIn } from './settings.ts'
import type { ConsoleTexts } from './wording.ts'

/** How long the document waits for a store or a `may` that is slow, in ms: then the page asks by itself. */
const PATIENCE = 200

interface Reader {
  readonly keys: ApiKeys
  readonly authority: Authority
  readonly language: Language
  readonly texts: ConsoleTexts
  settings(): Promise<ConsoleSettings>
}

/**
 * What the page would ask for first, by where it would ask: the document brings it along, and the script has not to wait
 * for anything. What cannot be told, or not in time, is left out: the page asks for it, and shows what is wrong.
 */
export async function firstAnswers(reader: Reader): Promise<Readonly<Record<string, unknown>>> {
  const told: Record<string, unknown> = { [textsIn(reader.language)]: reader.texts }
  // Whoever asks again is told what is wrong, and so is `onError`.
  await inTime(
    tell(told, reader).catch(() => {}),
    PATIENCE,
  )
  return { ...told }
}

async function tell(told: Record<string, unknown>, { keys, authority, settings }: Reader): Promise<void> {
  const known = await settings()
  told[SETTINGS] = known
  if (!known.may.includes('list')) return
  const { owner, resource, actor } = authority
  told[FIRST_KEYS] = await keys.list({ owner, resource, actor, limit: PAGE_SIZE })
}
