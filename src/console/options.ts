import { OPTIONS } from '../http/management/options.ts'
import type { ManagementOptions } from '../http/management.ts'
import { flawed, type Issue, type KeywardError } from '../model/errors.ts'
import { own } from '../model/own.ts'
import { show, unwanted } from '../model/redact.ts'
import { baseUrlsOf, modelsOf } from './base-urls.ts'
import type { BaseUrls, Endpoints, HostSnippet } from './settings.ts'
import { areSnippets, type HostTexts, textIssues } from './wording.ts'

export interface ConsoleOptions extends ManagementOptions {
  /**
   * Where clients reach the API, for what is copied: one address, of which the clients of OpenAI's interface get it with
   * `/v1` at its end and those of Anthropic's without; or one for each kind of client that there is. `api` is the address
   * of an interface of its own.
   */
  readonly baseUrl: string | BaseUrls
  /** The heading and the title of the page. @default 'API keys', in the reader's language */
  readonly title?: string
  /** Whether people may keep a key in their browser, which fills it into the snippets. @default true */
  readonly browserKey?: boolean
  /**
   * Whether the page keeps the text of a key that was made in it, until it is left or loaded again, so that *Copy
   * connection info* of its row has it: in its memory alone.
   * @default false: it is gone when its dialog closes
   */
  readonly rememberKeys?: boolean
  /** The model that snippets name. @default 'your-model' */
  readonly model?: string | Endpoints
  /**
   * Snippets in place of the page's own; `[]` for none. In a text `{key}` `{secret}` `{baseUrl}` are filled in, and
   * `{resource}`: what stands behind the colon of the one resource that the page is for.
   */
  readonly snippets?: readonly HostSnippet[]
  /** The windows that the form has a field for, such as `['minute', 'hour']`. @default second to week */
  readonly windows?: readonly string[]
  /** Texts in place of the page's own, by name: those of `src/console/page/texts-en.ts`. */
  readonly texts?: HostTexts
  /** A style sheet of this origin that the page loads, to set its custom properties. @default none */
  readonly stylesheet?: string
}

export interface ConsolePlan {
  readonly baseUrls: BaseUrls
  readonly models: Endpoints
  readonly title: string | undefined
  readonly browserKey: boolean
  readonly rememberKeys: boolean
  readonly snippets: readonly HostSnippet[] | undefined
  readonly windows: readonly string[] | undefined
  readonly texts: HostTexts
  readonly stylesheet: string | undefined
}

const SHEET_TEXT = /^\/(?!\/)[\w./~%-]*$/
const TITLE_TEXT = /^[^\p{Cc}\p{Cs}]{1,100}$/u
const OF_THE_PAGE = [
  'baseUrl',
  'title',
  'browserKey',
  'rememberKeys',
  'model',
  'snippets',
  'windows',
  'texts',
  'stylesheet',
]
const NO_OPTION = `is not an option (${[...OF_THE_PAGE, ...OPTIONS].join(', ')})`
const WINDOWS = ['second', 'minute', 'hour', 'day', 'week']

/**
 * Takes what concerns the page alone out of the options; the rest are the routes'.
 * @throws KeywardError `CONFIG` that names each wrong option
 */
export function readConsoleOptions(options: ConsoleOptions): [ConsolePlan, ManagementOptions] {
  const given = own(Object(options) as ConsoleOptions)
  const { baseUrl, title, browserKey = true, rememberKeys = false, model = 'your-model', ...others } = given
  const { snippets, windows, texts = {}, stylesheet, ...routes } = others
  const issues: Issue[] = [...textIssues(texts)]
  const wrong = (path: string, message: string, value: unknown) =>
    issues.push({ path, message: `${message}, not ${show(value)}` })
  for (const [path, value] of Object.entries(routes)) {
    if (!OPTIONS.includes(path)) issues.push({ path, message: unwanted(NO_OPTION, value) })
  }
  const baseUrls = baseUrlsOf(baseUrl)
  const models = modelsOf(model)
  if (baseUrls === undefined) {
    wrong(
      'baseUrl',
      "must be a URL such as 'https://api.example.com/v1', or some of { openai, anthropic, api }",
      baseUrl,
    )
  }
  if (models === undefined) wrong('model', 'must be the name of a model, or { openai, anthropic }', model)
  if (title !== undefined && !isMatch(title, TITLE_TEXT)) wrong('title', 'must be text of 1 to 100 characters', title)
  if (typeof browserKey !== 'boolean') wrong('browserKey', 'must be true or false', browserKey)
  if (typeof rememberKeys !== 'boolean') wrong('rememberKeys', 'must be true or false', rememberKeys)
  if (snippets !== undefined && !areSnippets(snippets)) {
    wrong('snippets', 'must be a list of at most 10 { label, text }', snippets)
  }
  if (windows !== undefined && !areWindows(windows))
    wrong('windows', `must be a list of ${WINDOWS.join(', ')}`, windows)
  if (stylesheet !== undefined && !isMatch(stylesheet, SHEET_TEXT)) {
    wrong('stylesheet', "must be a path such as '/brand.css'", stylesheet)
  }
  if (baseUrls === undefined || models === undefined || issues.length > 0) throw config(issues)
  const page = { baseUrls, models, title, browserKey, rememberKeys, stylesheet }
  // Copies: what the host changes afterwards was not looked at.
  const copies = structuredClone({ snippets, windows, texts })
  return [{ ...page, ...copies }, routes]
}

function areWindows(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => WINDOWS.includes(name))
}

function isMatch(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function config(issues: readonly Issue[]): KeywardError {
  return flawed('CONFIG', issues, { where: 'consolePage: ' })
}
