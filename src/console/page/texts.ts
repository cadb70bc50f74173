import type { en } from './texts-en.ts'

export type TextName = keyof typeof en
export type Texts = Readonly<Record<TextName, string>>

/** A text in the reader's language, with its `{parts}` filled in. */
export type Say = (name: TextName, parts?: Readonly<Record<string, string | number>>) => string

/** Each language is a file of its own, of which a reader loads one. */
export function speaking(texts: Texts): Say {
  return (name, parts = {}) => texts[name].replace(/\{(\w+)\}/g, (whole, part: string) => String(parts[part] ?? whole))
}

/** Where not even the texts can be loaded. */
export const WITHOUT_TEXTS = 'The API keys could not be loaded. / 无法加载 API 密钥。'
