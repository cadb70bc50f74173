import { randomBytes } from 'node:crypto'
import type { core, z } from 'zod/mini'
import { bearer, header, pair, readsAlike, type Source } from './credential/sources.ts'
import { hashing } from './hash/hashing.ts'
import { sha256 } from './hash/sha256.ts'
import { checkAnswers } from './http/answer-overrides.ts'
import type { RateHeaders } from './http/rate-headers.ts'
import { randomBase62 } from './key/base62.ts'
import { ID_LENGTH } from './key/format.ts'
import type { Prefixes } from './key/prefix.ts'
import type { AnswerOverrides } from './model/answer.ts'
import type { Awaitable } from './model/awaitable.ts'
import { type Clock, systemClock } from './model/clock.ts'
import { parseDuration } from './model/duration.ts'
import { flawed, type Issue, type KeywardError } from './model/errors.ts'
import type { KeyEvent } from './model/event.ts'
import type { Hasher } from './model/hasher.ts'
import { isObject } from './model/is-object.ts'
import { inherited, own } from './model/own.ts'
import { show, unwanted } from './model/redact.ts'
import type { KeyStore } from './model/store.ts'
import { warnOnce } from './model/warn.ts'
import { type Cidr, compileNetworks, type Networks, parseCidr } from './network/cidr.ts'
import type { ApiKeysOptions, ScopeVocabulary } from './options.ts'
import { likelyMeant, OPTIONS } from './options-schema.ts'
import type { CreditMode } from './policy/credits.ts'
import type { FailureLimit } from './policy/failures.ts'
import { beyondMax, type LimitPlan, parseLimits } from './policy/limits.ts'
import { scopeFlaw, type Vocabulary, vocabularyOf } from './policy/scopes.ts'
import { memoryStore } from './storage/memory.ts'
import type { Gate } from './verify/gatekeeper.ts'

/** Options as the rest of Keyward uses them: complete, checked, frozen. */
export interface Settings {
  readonly prefixes: Prefixes
  readonly pair: boolean
  readonly store: KeyStore
  readonly hasher: Hasher
  readonly sources: readonly Source[]
  readonly vocabulary: Vocabulary | undefined
  readonly plan: LimitPlan
  /** Whether windows that a fault of the store leaves uncounted let requests pass. */
  readonly opensOnFault: boolean
  /** How many uses of a hot key are taken at once. */
  readonly lease: number | undefined
  readonly names: 'free' | 'required' | 'unique'
  readonly credits: CreditMode
  readonly gate: Gate | undefined
  readonly failures: FailureLimit | undefined
  readonly proxies: Networks | undefined
  readonly requireTls: boolean
  readonly hideCredentials: boolean
  readonly cache: { readonly maxLag: number; readonly maxKeys: number } | undefined
  readonly storeTimeout: number
  readonly reveal: 'holder' | 'nobody'
  readonly answers: AnswerOverrides | undefined
  readonly rateHeaders: RateHeaders
  readonly realm: string
  readonly onEvent: ((event: KeyEvent) => void) | undefined
  readonly clock: Clock
  readonly random: (size: number) => Uint8Array
  readonly generateId: () => Awaitable<string>
}

/** @throws KeywardError `CONFIG` that names each option that is wrong, with its value */
export function parseOptions(options: ApiKeysOptions): Settings {
  if (!isObject(options)) throw config([{ path: '', message: `must be an object of options, not ${show(options)}` }])
  const path = inherited(options, Object.keys(OPTIONS.shape))
  if (path !== undefined)
    throw config([{ path, message: 'must be a member of the options themselves, not of a class' }])
  const given = own(options)
  const parsed = OPTIONS.safeParse(given)
  if (!parsed.success) throw config(parsed.error.issues.flatMap((issue) => issuesOf(issue, given)))
  const issues: Issue[] = []
  const { prefix, ...checked } = parsed.data
  const settings = compile(readOnce(given, checked), prefix, issues)
  if (issues.length > 0) throw config(issues)
  return Object.freeze(settings)
}

/** What was parsed is what was checked, also where a getter would answer otherwise the next time. */
function readOnce(given: ApiKeysOptions, parsed: Omit<z.infer<typeof OPTIONS>, 'prefix'>): ApiKeysOptions {
  const { cache, limits, failures, ...rest } = own(parsed)
  return Object.assign(own(given), rest, {
    cache: cache && own(cache),
    limits: limits && own(limits),
    failures: failures && own(failures),
  })
}

function compile(given: ApiKeysOptions, prefixes: Prefixes, issues: Issue[]): Settings {
  const { pair: paired = false, cache, random = randomBytes } = given
  return {
    prefixes,
    pair: paired,
    store: given.store ?? memoryStore(),
    hasher: hashersOf(given.hasher, issues),
    sources: sourcesOf(given.sources, paired, issues),
    vocabulary: given.scopes && vocabularyFrom(given.scopes, issues),
    plan: planOf(given.limits, issues),
    opensOnFault: opensOnFault(given, issues),
    lease: leaseOf(given, issues),
    names: given.names ?? 'free',
    credits: creditsOf(given, issues),
    gate: given.gate,
    failures: given.failures && { limit: given.failures.limit, ms: parseDuration(given.failures.window) ?? 0 },
    proxies: given.trustedProxies && proxiesOf(given.trustedProxies, issues),
    requireTls: given.requireTls ?? false,
    hideCredentials: given.hideCredentials ?? false,
    cache: cacheOf(cache),
    storeTimeout: parseDuration(given.storeTimeout) ?? 250,
    reveal: given.reveal ?? 'holder',
    answers: checkAnswers(given.answers, 'createApiKeys: '),
    rateHeaders: given.rateHeaders ?? 'standard',
    realm: given.realm ?? 'api',
    onEvent: given.onEvent,
    clock: given.clock ?? systemClock,
    random,
    generateId: given.generateId ?? (() => randomBase62(ID_LENGTH, random)),
  }
}

function sourcesOf(given: ApiKeysOptions['sources'], paired: boolean, issues: Issue[]): readonly Source[] {
  const sources = given ?? (paired ? [pair('x-api-key', 'x-api-secret')] : [bearer(), header('x-api-key')])
  if (paired && sources.every(readsAlike)) {
    issues.push({ path: 'sources', message: 'must read pairs, such as pair()' })
  }
  return sources.map(namedInLowerCase)
}

/** Names are looked for in lower case, however the host wrote them. */
function namedInLowerCase(source: Source): Source {
  const headers = source.headers.map((name) => name.toLowerCase())
  const { foreign, scheme } = own(source)
  const read: Source['read'] = readsAlike(source) ? source.read : (values) => source.read(values)
  // All of one shape; and on no prototype, where somebody could say that foreign credentials are to be let through.
  return own({ headers, read, foreign, scheme })
}

function cacheOf(cache: ApiKeysOptions['cache']): Settings['cache'] {
  if (cache === false) return undefined
  return { maxLag: parseDuration(cache?.maxLag) ?? 1000, maxKeys: cache?.maxKeys ?? 10_000 }
}

function hashersOf(option: ApiKeysOptions['hasher'], issues: Issue[]): Hasher {
  const hashers = option === undefined ? [sha256()] : [option].flat()
  if (new Set(hashers.map(({ scheme }) => scheme)).size < hashers.length) {
    issues.push({ path: 'hasher', message: 'must not name one scheme twice; hmac() takes several peppers' })
  }
  return hashing(hashers as [Hasher, ...Hasher[]])
}

function vocabularyFrom(given: ScopeVocabulary, issues: Issue[]): Vocabulary {
  const scopes = own(given)
  const flawed = Object.entries(scopes).filter(([, actions]) => !isListOfText(actions))
  for (const [resource, actions] of flawed)
    issues.push({ path: `scopes.${resource}`, message: `must be a list of actions, not ${show(actions)}` })
  if (flawed.length > 0) return new Set()
  const vocabulary = vocabularyOf(scopes)
  if (vocabulary.size === 0)
    issues.push({ path: 'scopes', message: `must declare at least one scope, not ${show(scopes)}` })
  for (const scope of vocabulary) {
    const flaw = scope.includes('*') ? 'must not contain *' : scopeFlaw(scope, undefined)
    if (flaw !== undefined) issues.push({ path: 'scopes', message: `${show(scope)} ${flaw}` })
  }
  return vocabulary
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function planOf(limits: ApiKeysOptions['limits'], issues: Issue[]): LimitPlan {
  const part = (name: 'default' | 'max') =>
    parseLimits(limits?.[name] === undefined ? {} : limits[name], false, ({ path, message }) => {
      issues.push({ path: `limits.${name}${path && `.${path}`}`, message })
    })
  const plan = { defaults: part('default'), max: part('max') }
  for (const { path, message } of beyondMax(plan.defaults, plan))
    issues.push({ path: `limits.default.${path}`, message })
  return plan
}

function opensOnFault({ limits, credits }: ApiKeysOptions, issues: Issue[]): boolean {
  if (limits?.onFault !== 'open') return false
  if (credits === 'owner') {
    issues.push({ path: 'limits.onFault', message: "cannot be 'open' where every request takes credit" })
  }
  return true
}

/** Uses that were taken before a change are served after it: where there is to be no lag, there is no lease. */
function leaseOf({ limits, cache }: ApiKeysOptions, issues: Issue[]): number | undefined {
  if (limits?.lease !== undefined && cache === false) {
    issues.push({ path: 'limits.lease', message: 'needs a cache: a lease is served without asking the store' })
  }
  return limits?.lease
}

function proxiesOf(proxies: readonly string[], issues: Issue[]): Networks {
  const blocks = proxies.map(parseCidr)
  for (const [i, block] of blocks.entries()) {
    if (typeof block === 'string')
      issues.push({ path: `trustedProxies.${i}`, message: `${block}, not ${show(proxies[i])}` })
  }
  if (proxies.some((text) => /\/0+$/.test(text))) warnOnce('KEYWARD_ALL_PROXIES', ALL_PROXIES)
  return compileNetworks(blocks.filter((block): block is Cidr => typeof block !== 'string'))
}

/** One balance for many keys is nothing that a process can keep for itself. */
function creditsOf({ credits = 'key', store }: ApiKeysOptions, issues: Issue[]): CreditMode {
  const canKeep = store === undefined || (store.take !== undefined && store.move !== undefined)
  if (credits === 'owner' && !canKeep) issues.push({ path: 'credits', message: 'need a store with take() and move()' })
  return credits
}

/** One issue a field, with the value that was given; what `hasher` and `store` hold is nobody's business. */
function issuesOf(issue: core.$ZodIssue, given: ApiKeysOptions): readonly Issue[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => strange([...issue.path, key], given))
  const path = issue.path.join('.')
  if (issue.path[0] === 'hasher' || issue.path[0] === 'store') return [{ path, message: issue.message }]
  return [{ path, message: `${issue.message}, not ${show(at(issue.path, given))}` }]
}

const SECRET = /pepper|secret|hash|salt|pass/i

/** What there is no option for. An object may be the store or a hasher under another name, and is not shown; nor a pepper. */
function strange(path: readonly PropertyKey[], given: ApiKeysOptions): Issue {
  const value = at(path, given)
  const name = path.join('.')
  const like = likelyMeant(path)
  if (path.length === 1 && isObject(value)) return { path: name, message: `is not an option, given an object${like}` }
  return { path: name, message: (SECRET.test(name) ? 'is not an option' : unwanted('is not an option', value)) + like }
}

function at(path: readonly PropertyKey[], given: ApiKeysOptions): unknown {
  return path.reduce<unknown>((value, key) => Object(value)[key], given)
}

function config(issues: readonly Issue[]): KeywardError {
  return flawed('CONFIG', issues, { where: 'createApiKeys: ', whole: 'options' })
}

const ALL_PROXIES = 'trustedProxies holds all addresses: any client may write the address that counts as its own.'
