/** The languages of the page. */
export type Language = 'en' | 'zh'

/** The first of `Accept-Language` that the page has, by weight (RFC 9110 section 12.5.4). */
export function languageOf(accepted: string | null): Language {
  const ranges = (accepted ?? '').split(',').map((range) => {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(';')
    const weight = parameters.map((parameter) => /^\s*q=([\d.]+)$/.exec(parameter)?.[1]).find(Boolean)
    return { language: tag.split('-')[0], weight: Number(weight ?? 1) }
  })
  const known = ranges.filter(({ language, weight }) => (language === 'en' || language === 'zh') && weight > 0)
  const [best] = known.sort((a, b) => b.weight - a.weight)
  return best?.language === 'zh' ? 'zh' : 'en'
}
