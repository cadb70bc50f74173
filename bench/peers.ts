import assert from 'node:assert/strict'
import * as crypto from 'node:crypto'
import type { Request, Response } from 'express'
import { MemoryStore, type Options, rateLimit } from 'express-rate-limit'
import { checkAPIKey, extractShortToken, generateAPIKey } from 'prefixed-api-key'
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import { Texts } from './fresh.ts'
import type { Variant } from './instrument.ts'

/** What every ratio is a multiple of: the one hash that no verification can do without. */
export const BASE = "H: crypto.hash('sha256', 50 characters, 'hex')"

/** Peers that do a part of Keyward's work, or all of it. */
export const PREFIXED = 'prefixed-api-key: checkAPIKey, hash from a Map, no limits'
export const FLEXIBLE = 'rate-limiter-flexible: memory, two windows, no key verified'
export const BETTER_AUTH = 'better-auth: verifyApiKey, one window, one permission'
export const KEYPAL = 'keypal: verify with its cache, one scope, no limits'

const HIGH = 1e9

export async function peerVariants(): Promise<readonly Variant[]> {
  return [hash(), flexible(1), flexible(2), expressRateLimit(), await prefixedApiKey()]
}

export function hash(): Variant {
  const source = randomTexts(1000, 50)
  return {
    name: BASE,
    waits: false,
    check() {
      const [text = ''] = source.take(1)
      assert.equal(crypto.hash('sha256', text, 'hex'), crypto.createHash('sha256').update(text).digest('hex'))
    },
    texts: (calls) => source.take(calls),
    call: (text) => crypto.hash('sha256', text, 'hex'),
    isRight: (digest) => String(digest).length === 64,
  }
}

/** One key as their limiters are keyed: no key is verified, so this is only a part of the work. */
function flexible(windows: 1 | 2): Variant {
  const source = randomTexts(1, 50)
  const limiters = (points: number) =>
    [60, 3600].slice(0, windows).map((duration) => new RateLimiterMemory({ points, duration }))
  const [minute, hour] = limiters(HIGH) as [RateLimiterMemory, RateLimiterMemory?]
  return {
    name: windows === 1 ? 'rate-limiter-flexible: memory, one window, no key verified' : FLEXIBLE,
    waits: true,
    async check() {
      for (const limiter of limiters(2)) {
        await limiter.consume('key')
        await limiter.consume('key')
        await assert.rejects(limiter.consume('key'), (refusal) => (refusal as RateLimiterRes).remainingPoints === 0)
      }
    },
    texts: (calls) => source.take(calls),
    call:
      hour === undefined
        ? (text) => minute.consume(text)
        : async (text) => {
            await minute.consume(text)
            return hour.consume(text)
          },
    isRight: (result) => (result as RateLimiterRes).remainingPoints > 0,
  }
}

/** Their store alone, which counts; the middleware that compares the count with a limit costs more. */
function expressRateLimit(): Variant {
  const source = randomTexts(1, 50)
  const store = new MemoryStore()
  store.init({ windowMs: 60_000 } as Options)
  return {
    name: 'express-rate-limit: MemoryStore, one window, no key verified',
    waits: true,
    async check() {
      const answers: string[] = []
      const limit = rateLimit({
        windowMs: 60_000,
        limit: 2,
        store: new MemoryStore(),
        keyGenerator: () => 'key',
        validate: false,
        legacyHeaders: false,
        handler: () => answers.push('refused'),
      })
      for (let use = 0; use < 3; use++) await limit({} as Request, {} as Response, () => answers.push('admitted'))
      assert.deepEqual(answers, ['admitted', 'admitted', 'refused'])
    },
    texts: (calls) => source.take(calls),
    call: (text) => store.increment(text),
    isRight: (result) => (result as { totalHits: number }).totalHits > 0,
  }
}

/** Its own example: the hash is looked up by the short token. It knows no scopes, states or limits. */
async function prefixedApiKey(): Promise<Variant> {
  const { token, shortToken, longTokenHash } = await generateAPIKey({ keyPrefix: 'agk' })
  const other = await generateAPIKey({ keyPrefix: 'agk' })
  assert(token !== undefined && other.token !== undefined)
  const source = new Texts([token])
  const hashes = new Map([[shortToken, longTokenHash]])
  const verify = (text: string) => {
    const kept = hashes.get(extractShortToken(text))
    return kept !== undefined && checkAPIKey(text, kept)
  }
  return {
    name: PREFIXED,
    waits: false,
    check() {
      assert(verify(source.at(0)))
      assert(!verify(other.token))
      assert(!verify(`${token.slice(0, token.lastIndexOf('_'))}_${other.longToken}`))
    },
    texts: (calls) => source.take(calls),
    call: verify,
    isRight: (result) => result === true,
  }
}

function randomTexts(count: number, length: number): Texts {
  return new Texts(
    Array.from({ length: count }, () => crypto.randomBytes(length).toString('base64url').slice(0, length)),
  )
}
