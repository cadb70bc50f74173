/** What the page is told of the instance and of who looks at it: JSON, and nothing secret. */
export interface ConsoleSettings {
  readonly title?: string
  readonly baseUrls: Endpoints
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
  /** What whoever looks may do. */
  readonly may: readonly string[]
  /** The one resource that all keys here are for. */
  readonly resource?: string
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
}

export type WindowLimits = Readonly<Record<string, number>>
