import type { Issue } from '../model/errors.ts'
import { isRecord } from '../model/is-object.ts'
import { show, unwanted } from '../model/redact.ts'
import { en } from './page/texts-en.ts'
import { zh } from './page/texts-zh.ts'
import type { HostSnippet } from './settings.ts'

/** The texts of the page by name. */
export type ConsoleTexts = Readonly<Record<keyof typeof en, string>>

/** The host's own texts, in place of the page's. */
export interface HostTexts {
  readonly en?: Partial<ConsoleTexts>
  readonly zh?: Partial<ConsoleTexts>
}

const LANGUAGES = { en, zh } as const satisfies Readonly<Record<string, ConsoleTexts>>
const TEXT = /^[^\p{Cc}\p{Cs}]{1,500}$/u
const LABEL = /^[^\p{Cc}\p{Cs}]{1,40}$/u
/** A snippet has lines, and what is indented. */
const SNIPPET = /^(?:[^\p{Cc}\p{Cs}]|[\n\t])+$/u
const MOST_SNIPPETS = 10
const LONGEST_SNIPPET = 4000

export type Wording = Readonly<Record<keyof typeof LANGUAGES, ConsoleTexts>>

/** The texts of the page in each language, with the host's over them. */
export function wordingOf(texts: HostTexts): Wording {
  return { en: { ...en, ...texts.en }, zh: { ...zh, ...texts.zh } }
}

/** What is wrong with the host's texts: a name that there is not, no text, or a part that nothing fills in. */
export function textIssues(texts: unknown): readonly Issue[] {
  const issues: Issue[] = []
  if (!isRecord(texts)) return [{ path: 'texts', message: `must be { en, zh }, not ${show(texts)}` }]
  for (const [language, own] of Object.entries(texts)) {
    const path = `texts.${language}`
    const usual = isLanguage(language) ? LANGUAGES[language] : undefined
    if (usual === undefined) issues.push({ path, message: unwanted('is no language of the page (en, zh)', own) })
    else if (!isRecord(own)) issues.push({ path, message: `must be texts by name, not ${show(own)}` })
    else issues.push(...flawsIn(path, own, usual))
  }
  return issues
}

function flawsIn(path: string, own: object, usual: ConsoleTexts): readonly Issue[] {
  const known = new Map<string, string>(Object.entries(usual))
  return Object.entries(own).flatMap(([name, text]: [string, unknown]) => {
    const replaced = known.get(name)
    if (replaced === undefined) return [{ path: `${path}.${name}`, message: unwanted('is no text of the page', text) }]
    if (typeof text !== 'string' || !TEXT.test(text)) {
      return [{ path: `${path}.${name}`, message: `must be text of 1 to 500 characters, not ${show(text)}` }]
    }
    const unknown = (text.match(/\{\w+\}/g) ?? []).find((part) => !replaced.includes(part))
    return unknown === undefined ? [] : [{ path: `${path}.${name}`, message: `cannot have ${unknown}` }]
  })
}

/** The host's own snippets. */
export function areSnippets(value: unknown): value is readonly HostSnippet[] {
  return Array.isArray(value) && value.length <= MOST_SNIPPETS && value.every(isSnippet)
}

function isSnippet(value: unknown): boolean {
  const { label, text, ...more } = Object(value) as Record<string, unknown>
  const isText = typeof text === 'string' && text.length <= LONGEST_SNIPPET && SNIPPET.test(text)
  return typeof label === 'string' && LABEL.test(label) && isText && Object.keys(more).length === 0
}

function isLanguage(name: string): name is keyof typeof LANGUAGES {
  return Object.hasOwn(LANGUAGES, name)
}
