import type { Language } from '../language.ts'
import { en } from './texts-en.ts'
import { zh } from './texts-zh.ts'

export type TextName = keyof typeof en

/** A text in the reader's language, with its `{parts}` filled in. */
export type Say = (name: TextName, parts?: Readonly<Record<string, string | number>>) => string

export const TEXTS: Readonly<Record<Language, Readonly<Record<TextName, string>>>> = { en, zh }

export function speaking(language: Language): Say {
  const texts = TEXTS[language]
  return (name, parts = {}) => texts[name].replace(/\{(\w+)\}/g, (whole, part: string) => String(parts[part] ?? whole))
}
