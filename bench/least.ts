import assert from 'node:assert/strict'
import { createApiKeys, memoryStore } from 'keyward'
import { singleLine } from '../src/credential/headers.ts'
import { sha256Of } from '../src/hash/digest.ts'
import { equalUnits, unitsOf } from '../src/hash/equal.ts'
import { plainFormat } from '../src/key/format.ts'
import { attach } from '../src/model/attached.ts'
import type { Window } from '../src/model/limits.ts'
import { parseAddress } from '../src/network/address.ts'
import { allowlist } from '../src/policy/networks.ts'
import { type Counted, take } from '../src/storage/counters.ts'
import { cleanFacts } from '../src/verify/entrance.ts'
import { Texts } from './fresh.ts'
import { CLIENTS, clientAddress, NETWORKS } from './full-policy.ts'
import type { Variant } from './instrument.ts'
import { BASE, hash } from './peers.ts'
import { PREFIX } from './subject.ts'

// The parts of a verification alone, called one after the other by a single function: no store that may be another, no
// events, nothing that a second guard, a header or a handler could ask for afterwards. No verification can cost less.

/** As `PACKED` in src/hash: of two bytes each. */
const UNITS = 'ucs2' as 'binary'
const WINDOWS: readonly Window[] = [
  { name: 'minute', limit: 1e9, ms: 60_000 },
  { name: 'hour', limit: 2e9, ms: 3_600_000 },
]

interface Kept extends Counted {
  readonly digest: Uint16Array
  readonly expiresAt: number
}

interface Subject {
  readonly key: string
  readonly foreign: string
  readonly held: ReadonlyMap<string, Kept>
}

const PROVED = 'The least: checksum, look-up, hash, comparison, clock'
const LIMITED = 'The least: the same and two windows'
const WHOLE = 'The least: the same, an address in 100 networks, 20 scopes, a resource'
const CONNECTED = 'The least: a line that its connection sent before, clock, two windows'
const ANSWERED = 'The least: the same, with facts that nobody polluted, lines read raw, and a second guard served'
const UNKNOWN = 'The least: an unknown key'

export const LEAST_PAIRS = [PROVED, LIMITED, WHOLE, CONNECTED, ANSWERED, UNKNOWN].map((name) => [name, BASE] as const)

export async function leastVariants(): Promise<readonly Variant[]> {
  const subject = await newSubject()
  const { key, foreign } = subject
  const prove = prover(subject)
  const whole = wholePolicy(prove)
  return [
    hash(),
    variant(PROVED, key, true, (text) => prove(text) !== undefined),
    variant(LIMITED, key, true, (text) => {
      const found = prove(text)
      return found !== undefined && take(found, { windows: WINDOWS, cost: 1 }, Date.now())
    }),
    variant(WHOLE, key, true, whole),
    variant(CONNECTED, `Bearer ${key}`, true, connected(prove(key) as Kept, `Bearer ${key}`)),
    variant(ANSWERED, `Bearer ${key}`, true, answered(prove(key) as Kept, `Bearer ${key}`)),
    variant(UNKNOWN, foreign, false, (text) => prove(text) !== undefined),
  ]
}

async function newSubject(): Promise<Subject> {
  const keys = createApiKeys({ prefix: PREFIX, store: memoryStore() })
  const [{ key, record }, { key: foreign }] = [await keys.create({ owner: 'a' }), await keys.create({ owner: 'b' })]
  const digest = unitsOf(sha256Of(key, UNITS))
  const held = new Map([[record.id, { digest, expiresAt: Number.POSITIVE_INFINITY, counters: [] }]])
  return { key, foreign, held }
}

function prover({ held }: Subject): (text: string) => Kept | undefined {
  const format = plainFormat(PREFIX)
  const nobody = new Uint16Array(16)
  return (text) => {
    const id = text.startsWith(PREFIX) ? format.idOf(text, undefined) : undefined
    if (id === undefined) return undefined
    const found = held.get(id)
    const isIt = equalUnits(sha256Of(text, UNITS), found?.digest ?? nobody)
    return found !== undefined && isIt && Date.now() < found.expiresAt ? found : undefined
  }
}

function wholePolicy(prove: (text: string) => Kept | undefined): (text: string) => unknown {
  const allows = allowlist(NETWORKS)
  const scopes = new Set(Array.from({ length: 20 }, (_, n) => `area${n}:read`))
  const resource = 'agent:42'
  const addresses = new Texts(Array.from({ length: CLIENTS }, clientAddress))
  const fresh = addresses.take(20_000)
  let next = 0
  return (text) => {
    const found = prove(text)
    const address = parseAddress(fresh[next++ % fresh.length] as string)
    if (found === undefined || address === undefined || !allows(address)) return false
    if (!scopes.has('area19:read') || resource !== 'agent:42') return false
    return take(found, { windows: WINDOWS, cost: 1 }, Date.now())
  }
}

function connected(found: Kept, line: string): (text: string) => unknown {
  const connection = {}
  const kept = new WeakMap([[connection, { line, found }]])
  return (text) => {
    const lines = ['Authorization', text]
    const before = kept.get(connection)
    if (before === undefined || lines[0]?.toLowerCase() !== 'authorization' || lines[1] !== before.line) return false
    const now = Date.now()
    return now < before.found.expiresAt && take(before.found, { windows: WINDOWS, cost: 1 }, now)
  }
}

/** What README.md promises of any request, whatever becomes of it: no more than those parts of Keyward that do it. */
function answered(found: Kept, line: string): (text: string) => unknown {
  const connection = {}
  const kept = new WeakMap([[connection, { line, found }]])
  const admitted = attach<object>()
  return (text) => {
    const request = { rawHeaders: ['Authorization', text], connection }
    const facts = cleanFacts(request)
    const before = facts.connection && kept.get(facts.connection)
    if (before === undefined || singleLine(facts, 'authorization') !== before.line) return false
    if (admitted.get(request) !== undefined) return false
    const now = Date.now()
    if (now >= before.found.expiresAt) return false
    const { ok, readings } = take(before.found, { windows: WINDOWS, cost: 1 }, now)
    const verdict = { ok, windows: WINDOWS, readings, at: now }
    admitted.set(request, verdict)
    return verdict.ok
  }
}

function variant(name: string, text: string, admits: boolean, call: (text: string) => unknown): Variant {
  const source = new Texts([text])
  const isRight = (answer: unknown) => Boolean(answer) === admits
  return {
    name,
    waits: false,
    check: () => assert(isRight(call(source.at(0))) && !call(text.slice(0, -1)), `${name} does its work`),
    texts: (calls) => source.take(calls),
    call,
    isRight,
  }
}
