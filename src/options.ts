import type { Source } from './credential/sources.ts'
import type { RateHeaders } from './http/rate-headers.ts'
import type { PrefixOption } from './key/prefix.ts'
import type { AnswerOverrides } from './model/answer.ts'
import type { Awaitable } from './model/awaitable.ts'
import type { Clock } from './model/clock.ts'
import type { Duration } from './model/duration.ts'
import type { KeyEvent } from './model/event.ts'
import type { Hasher } from './model/hasher.ts'
import type { Limits } from './model/limits.ts'
import type { KeyStore } from './model/store.ts'
import type { CreditMode } from './policy/credits.ts'
import type { Gate } from './verify/gatekeeper.ts'

/** The scopes that exist: actions by resource. */
export type ScopeVocabulary = Readonly<Record<string, readonly string[]>>

/** What `createApiKeys` is given. Everything is read once; a wrong or unknown option is a `CONFIG` error that names it. */
export interface ApiKeysOptions<V extends ScopeVocabulary = ScopeVocabulary> {
  /**
   * What keys begin with, such as `'agk_live_'`: `[a-z][a-z0-9_-]*[_-]`, at most 32 characters. A list
   * (`['new_', 'old_']`): the first makes, all are read. A map: one or a list by environment, `record.environment`.
   */
  readonly prefix: PrefixOption
  /**
   * Whether keys come as key and secret.
   * @default false
   */
  readonly pair?: boolean | undefined
  /**
   * Where keys live.
   * @default memoryStore()
   */
  readonly store?: KeyStore | undefined
  /**
   * How keys are kept. A list: the first makes, all verify, what an older one made is upgraded on use.
   * @default sha256()
   */
  readonly hasher?: Hasher | readonly Hasher[] | undefined
  /**
   * Where requests carry credentials.
   * @default [bearer(), header('x-api-key')], for pairs [pair('x-api-key', 'x-api-secret')]
   */
  readonly sources?: readonly Source[] | undefined
  /**
   * The scopes that exist; every key then needs at least one, and a misspelt one does not compile.
   * @default any text of the right form
   */
  readonly scopes?: V | undefined
  /** `default`: what a key may use unless it says otherwise. `max`: what no key may go beyond. @default none */
  readonly limits?:
    | {
        readonly default?: Limits | undefined
        readonly max?: Limits | undefined
        /**
         * What becomes of a request whose windows cannot be counted because the store fails: `'open'` admits it, where
         * its record is no older than `cache.maxLag` and it takes no credit.
         * @default 'closed'
         */
        readonly onFault?: 'open' | 'closed' | undefined
        /**
         * How many uses of a hot key this process may take from the store at once, to serve them without a round trip.
         * Limits stay exact; a change by another process is obeyed within `cache.maxLag`, as if the key had no limits.
         * @default every use is taken by itself
         */
        readonly lease?: number | undefined
      }
    | undefined
  /**
   * Whether keys have names: `'unique'` among the keys of an owner, exactly and case-sensitively, implies required.
   * @default 'free'
   */
  readonly names?: 'free' | 'required' | 'unique' | undefined
  /**
   * Whose balance prepaid credit is charged to: each key's own, where it was given one, or one for all keys of an owner.
   * @default 'key'
   */
  readonly credits?: CreditMode | undefined
  /**
   * The host's word on an account, asked after every rule and before anything is taken: nothing, or why the request may
   * not go on. Throwing, late (`storeTimeout`) or nonsense is `unavailable`. It looks; what has to be held, `credits` holds.
   */
  readonly gate?: Gate | undefined
  /**
   * How many unknown or wrong keys (`limit`, a whole number ≥ 1) a client's network (IPv4 address, IPv6 /64) may send in a window; then it is answered
   * `too_many_failures`, but for keys that were proved in this process.
   * @default off
   */
  readonly failures?: { readonly limit: number; readonly window: Duration } | undefined
  /**
   * The proxies whose `X-Forwarded-For` is believed, as addresses or CIDR blocks; `[]` says that there is none.
   * While it is not stated, a request that was forwarded has no known address.
   */
  readonly trustedProxies?: readonly string[] | undefined
  /**
   * Whether requests are taken over TLS only: others are answered `tls_required`, whatever they carry. From a peer in
   * `trustedProxies`, `X-Forwarded-Proto` says what the client used.
   * @default false
   */
  readonly requireTls?: boolean | undefined
  /**
   * Whether a guard that has admitted a request takes the headers that carried the credential from it, so that neither
   * the handler nor whatever it forwards to sees them.
   * @default false
   */
  readonly hideCredentials?: boolean | undefined
  /**
   * How long a key may be remembered before the store is asked again (`maxLag`: ms, or text such as `'5s'`), and how many are
   * (`maxKeys`, at least 1); `false` remembers none.
   * @default { maxLag: 1000, maxKeys: 10_000 }
   */
  readonly cache?: false | { readonly maxLag?: Duration | undefined; readonly maxKeys?: number | undefined } | undefined
  /**
   * How long a call of the store, or of the gate, may take: ms, or text such as `'1s'`, at most `'1h'`. Then a request is
   * `unavailable`, and a verb throws `STORE`.
   * @default 250 (ms)
   */
  readonly storeTimeout?: Duration | undefined
  /**
   * Whom an answer tells that a key is revoked, disabled or expired: whoever proved its secret, or nobody.
   * @default 'holder'
   */
  readonly reveal?: 'holder' | 'nobody' | undefined
  /** What differs from Keyward's own answers, by code; or a function that is given each and gives the one to send. */
  readonly answers?: AnswerOverrides | undefined
  /**
   * Which header fields tell of limits: `RateLimit*`, `X-RateLimit-*`, both or none.
   * @default 'standard'
   */
  readonly rateHeaders?: RateHeaders | undefined
  /**
   * The realm of challenges (RFC 9110 section 11.5).
   * @default 'api'
   */
  readonly realm?: string | undefined
  /** Receives every change, admission, refusal and fault; no event holds a secret. What it throws is caught. */
  readonly onEvent?: ((event: KeyEvent) => void) | undefined
  /** @default the system's */
  readonly clock?: Clock | undefined
  /** Gives that many unpredictable bytes. @default crypto.randomBytes */
  readonly random?: ((size: number) => Uint8Array) | undefined
  /** Gives an id of 12 base62 characters; a taken one is asked for again, three times. @default random */
  readonly generateId?: (() => Awaitable<string>) | undefined
}
