import type { BaseUrls, Endpoints } from './settings.ts'

/** What stands in a snippet between quotes, in any language and in a shell, as it is. */
const URL_TEXT = /^https?:\/\/[\w.:/~%@+,=[\]-]+$/
const MODEL_TEXT = /^[\w./:@+-]{1,200}$/
const KINDS = ['api', 'openai', 'anthropic']

/** Of one address, the clients of OpenAI's interface get it with `/v1` at its end. `undefined` for what is none. */
export function baseUrlsOf(value: unknown): BaseUrls | undefined {
  if (isUrl(value)) return bothFrom(value)
  const given = Object.entries(Object(value) as object)
  const isSome = given.length > 0 && given.every(([kind, url]) => KINDS.includes(kind) && isUrl(url))
  return isSome ? Object.fromEntries(given.map(([kind, url]) => [kind, trimmed(String(url))])) : undefined
}

/** The models that snippets name. */
export function modelsOf(value: unknown): Endpoints | undefined {
  if (isModel(value)) return { openai: value, anthropic: value }
  const { openai, anthropic, ...more } = Object(value) as Record<string, unknown>
  if (!isModel(openai) || !isModel(anthropic) || Object.keys(more).length > 0) return undefined
  return { openai, anthropic }
}

function bothFrom(url: string): Endpoints {
  const root = trimmed(url).replace(/\/v1$/, '')
  return { openai: `${root}/v1`, anthropic: root }
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && URL_TEXT.test(value) && URL.canParse(value) && new URL(value).username === ''
}

function isModel(value: unknown): value is string {
  return typeof value === 'string' && MODEL_TEXT.test(value)
}
