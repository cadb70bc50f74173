import type { Language } from './language.ts'

/** Where the page finds what it needs first, below its own address. */
export const SETTINGS = 'keyward-console.json'
/** The rows of a page of the list. */
export const PAGE_SIZE = 50
export const FIRST_KEYS = `?limit=${PAGE_SIZE}`
export const textsIn = (language: Language) => `keyward-console-${language}.json`

/** What the page is told of the instance and of who looks at it: JSON, and nothing secret. */
export interface ConsoleSettings {
  readonly title?: string
  readonly baseUrls: BaseUrls
  /** The model that snippets name. */
  readonly models: Endpoints
  /** How a request carries a key, in the first way that the instance reads. */
  readonly credential: CredentialHeaders
  /** Whether `x-api-key` alone, as an older Anthropic SDK sends it, is read. */
  readonly readsXApiKey: boolean
  readonly pair: boolean
  readonly environments: readonly string[]
  readonly names: 'free' | 'required' | 'unique'
  /** The vocabulary: actions by resource, `undefined` where any scope will do. */
  readonly scopes?: readonly ScopeGroup[]
  /** Windows by name, as far as the instance sets them. */
  readonly limits: { readonly defaults: WindowLimits; readonly max: WindowLimits }
  /** Whether a key may be kept in the browser. */
  readonly browserKey: boolean
  /** Whether the page keeps the texts of keys that were made in it for as long as it is there. */
  readonly rememberKeys?: boolean
  /** What people may set of a key; all where it is not said. */
  readonly fields?: readonly string[]
  /** The windows that the form has; the usual ones where it is not said. */
  readonly windows?: readonly string[]
  /** In place of the page's own. */
  readonly snippets?: readonly HostSnippet[]
  /** What whoever looks may do. */
  readonly may: readonly string[]
  /** The one resource that all keys here are for. */
  readonly resource?: string
}

/** Where clients of OpenAI's interface, of Anthropic's, and of one of its own find it: at least one of them. */
export interface BaseUrls {
  readonly openai?: string
  readonly anthropic?: string
  readonly api?: string
}

/** A snippet that the host wrote; `{key}` and the like in its text are filled in. */
export interface HostSnippet {
  readonly label: string
  readonly text: string
}

/** One for clients of OpenAI's interface, one for those of Anthropic's. */
export interface Endpoints {
  readonly openai: string
  readonly anthropic: string
}

/** Header fields in which `{key}` and `{secret}` stand for the halves, in order. */
export type CredentialHeaders = readonly (readonly [name: string, value: string])[]

export interface ScopeGroup {
  readonly resource: string
  readonly actions: readonly string[]
  /** `false` where whoever looks may grant some of them, but not all that there may ever be. */
  readonly whole?: false
}

export type WindowLimits = Readonly<Record<string, number>>
