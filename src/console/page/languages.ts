import type { Language } from '../language.ts'

const ITEM = 'keyward-console:language'

/** What the reader chose here before, else what the page says, else what the browser prefers. */
export function chosenLanguage(stated: string): Language {
  const wishes = [kept(), stated, ...navigator.languages].map((wish) => wish?.slice(0, 2).toLowerCase())
  const known = wishes.find((wish) => wish === 'en' || wish === 'zh')
  return known === 'zh' ? 'zh' : 'en'
}

export function keepLanguage(language: Language): void {
  try {
    localStorage.setItem(ITEM, language)
  } catch {} // a browser that refuses storage asks again next time
}

function kept(): string | undefined {
  try {
    return localStorage.getItem(ITEM) ?? undefined
  } catch {
    return undefined
  }
}
