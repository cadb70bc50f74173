import type { ManagementOptions } from '../http/management.ts'
import { type Issue, KeywardError } from '../model/errors.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'
import type { Endpoints } from './settings.ts'

export interface ConsoleOptions extends ManagementOptions {
  /**
   * Where clients reach the API, for what is copied: one address, or one for each kind of client. Of one address, the
   * clients of OpenAI's interface get it with `/v1` at its end, and those of Anthropic's without.
   */
  readonly baseUrl: string | Endpoints
  /** The heading and the title of the page. @default 'API keys', in the reader's language */
  readonly title?: string
  /** Whether people may keep a key in their browser, which fills it into the snippets. @default true */
  readonly browserKey?: boolean
  /** The model that snippets name. @default 'your-model' */
  readonly model?: string | Endpoints
  /** A style sheet of this origin that the page loads, to set its custom properties. @default none */
  readonly stylesheet?: string
}

export interface ConsolePlan {
  readonly baseUrls: Endpoints
  readonly models: Endpoints
  readonly title: string | undefined
  readonly browserKey: boolean
  readonly stylesheet: string | undefined
}

/** What stands in a snippet between quotes, in any language and in a shell, as it is. */
const URL_TEXT = /^https?:\/\/[\w.:/~%@+,=[\]-]+$/
const MODEL_TEXT = /^[\w./:@+-]{1,200}$/
const SHEET_TEXT = /^\/(?!\/)[\w./~%-]*$/

/**
 * Takes what concerns the page alone out of the options; the rest are the routes'.
 * @throws KeywardError `CONFIG` that names each wrong option
 */
export function readConsoleOptions(options: ConsoleOptions): [ConsolePlan, ManagementOptions] {
  const given = own(Object(options) as ConsoleOptions)
  const { baseUrl, title, browserKey = true, model = 'your-model', stylesheet, ...routes } = given
  const issues: Issue[] = []
  const wrong = (path: string, message: string, value: unknown) =>
    issues.push({ path, message: `${message}, not ${show(value)}` })
  const baseUrls = endpointsOf(baseUrl, isUrl, bothFrom)
  const models = endpointsOf(model, isModel, (name) => ({ openai: name, anthropic: name }))
  if (baseUrls === undefined)
    wrong('baseUrl', "must be a URL such as 'https://api.example.com/v1', or { openai, anthropic }", baseUrl)
  if (models === undefined) wrong('model', 'must be the name of a model, or { openai, anthropic }', model)
  if (title !== undefined && !isTitle(title)) wrong('title', 'must be text of 1 to 100 characters', title)
  if (typeof browserKey !== 'boolean') wrong('browserKey', 'must be true or false', browserKey)
  if (stylesheet !== undefined && !isMatch(stylesheet, SHEET_TEXT)) {
    wrong('stylesheet', "must be a path such as '/brand.css'", stylesheet)
  }
  if (baseUrls === undefined || models === undefined || issues.length > 0) throw config(issues)
  return [{ baseUrls, models, title, browserKey, stylesheet }, routes]
}

function endpointsOf(
  value: unknown,
  isOne: (value: unknown) => value is string,
  both: (value: string) => Endpoints,
): Endpoints | undefined {
  if (isOne(value)) return both(value)
  const { openai, anthropic, ...more } = Object(value) as Record<string, unknown>
  if (!isOne(openai) || !isOne(anthropic) || Object.keys(more).length > 0) return undefined
  return { openai: trimmed(openai), anthropic: trimmed(anthropic) }
}

function bothFrom(url: string): Endpoints {
  const root = trimmed(url).replace(/\/v1$/, '')
  return { openai: `${root}/v1`, anthropic: root }
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}

function isUrl(value: unknown): value is string {
  return isMatch(value, URL_TEXT) && URL.canParse(String(value)) && new URL(String(value)).username === ''
}

function isModel(value: unknown): value is string {
  return isMatch(value, MODEL_TEXT)
}

function isTitle(value: unknown): boolean {
  return isMatch(value, /^[^\p{Cc}\p{Cs}]{1,100}$/u)
}

function isMatch(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function config(issues: readonly Issue[]): KeywardError {
  const text = issues.map(({ path, message }) => `${path} ${message}`).join('; ')
  return new KeywardError('CONFIG', `consolePage: ${text}`, { issues })
}
