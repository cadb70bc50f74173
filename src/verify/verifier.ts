import { hashedText } from '../key/format.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Hasher } from '../model/hasher.ts'
import type { Verdict } from '../model/verdict.ts'
import type { Attempt } from './attempt.ts'
import type { Metered } from './bill.ts'
import type { Found } from './found.ts'
import type { GateCode, Gatekeeper } from './gatekeeper.ts'
import type { Known } from './known.ts'
import type { KnownKeys } from './known-keys.ts'
import type { Lenience } from './lenience.ts'
import type { Meter } from './meter.ts'
import type { Opening } from './opening.ts'
import { type Proofs, proves } from './proofs.ts'
import { firstBroken, type Locate } from './rules.ts'
import { type Secret, secretOf } from './secret.ts'
import type { Throttle } from './throttle.ts'
import type { Time } from './time.ts'
import type { Upgrades } from './upgrade.ts'
import type { Verdicts } from './verdicts.ts'

/** What the pipeline is made of. */
export interface Parts {
  readonly keys: KnownKeys
  readonly open: Opening['open']
  readonly hasher: Hasher
  readonly upgrades: Upgrades
  readonly locate: Locate
  readonly proofs: Proofs
  /** The host's word on accounts, where it wants one. */
  readonly gatekeeper: Gatekeeper | undefined
  readonly throttle: Throttle | undefined
  readonly meter: Meter
  /** Where a fault of the store is to leave windows uncounted. */
  readonly lenience: Lenience | undefined
  readonly verdicts: Verdicts
  readonly look: () => Time
}

/**
 * The pipeline, from a text that has the shape of a key to a verdict. Its order is a security property: find, secret,
 * then everything that tells something of the key, and last the meters, the only ones that consume. Each step calls the
 * next and waits only for what is a promise, so a warm verification is synchronous.
 */
export function verify(parts: Parts, attempt: Attempt): Awaitable<Verdict> {
  const held = holdBack(parts, attempt)
  if (held !== undefined) return held
  const remembered = parts.keys.recall(attempt.id, attempt.time, attempt.proof?.found)
  // Under another prefix it is looked up as an unknown one is: what is remembered never refuses.
  const isIt = remembered !== undefined && remembered.prefix === attempt.presented.format.prefix
  return isIt ? prove(parts, attempt, remembered) : find(parts, attempt)
}

/** The answer to a network that has sent too many bad keys already. */
function holdBack(parts: Parts, attempt: Attempt): Verdict | undefined {
  const until = parts.throttle?.heldUntil(attempt, textOf(attempt))
  return until === undefined ? undefined : parts.verdicts.throttle(attempt, until)
}

/** Asks the store. What is decided from here on is decided on a record that was read for this request. */
function find(parts: Parts, attempt: Attempt): Awaitable<Verdict> {
  attempt.current = true
  let found: Awaitable<Found | undefined>
  try {
    found = parts.keys.read(attempt.id, attempt.time)
  } catch (error) {
    return parts.verdicts.fault(attempt, 'find', error)
  }
  if (!(found instanceof Promise)) return prove(parts, attempt, found)
  return found.then(
    // Others of its network may have failed meanwhile: a flood that comes at once is no dearer than one in a row.
    (read) => holdBack(parts, resumed(parts, attempt)) ?? prove(parts, attempt, read),
    (error) => parts.verdicts.fault(attempt, 'find', error),
  )
}

/** After a wait it is later: what follows is decided by the clocks as they are now, and windows never see time run back. */
function resumed(parts: Parts, attempt: Attempt): Attempt {
  attempt.time = parts.look()
  return attempt
}

/** Nothing about a key is told before this: an unknown id costs the same hash and gets the same answer as a wrong secret. */
function prove(parts: Parts, attempt: Attempt, found: Found | undefined): Awaitable<Verdict> {
  const text = textOf(attempt)
  if (found === undefined || found.prefix !== attempt.presented.format.prefix) {
    const wasted = parts.hasher.waste(text)
    if (!(wasted instanceof Promise)) return refuse(parts, attempt)
    return wasted.then(
      () => refuse(parts, attempt),
      (error) => parts.verdicts.fault(attempt, 'hash', error),
    )
  }
  if (attempt.refuted !== undefined && hasSameSecrets(attempt.refuted, found)) return refuse(parts, attempt)
  if (attempt.proof !== undefined && proves(attempt.proof, found)) return open(parts, attempt, found, 'current')
  const proved = secretOf(parts.hasher, found, text, attempt.time.now)
  if (!(proved instanceof Promise)) return open(parts, attempt, found, proved)
  return proved.then(
    (secret) => open(parts, resumed(parts, attempt), found, secret),
    (error) => parts.verdicts.fault(attempt, 'hash', error),
  )
}

/** Unknown, or known with another secret: told alike, and counted against the network that it came from. */
function refuse(parts: Parts, attempt: Attempt): Verdict {
  const held = holdBack(parts, attempt)
  if (held !== undefined) return held
  parts.throttle?.failed(attempt)
  return parts.verdicts.deny(attempt, 'invalid_key')
}

function textOf({ presented }: Attempt): string {
  return hashedText(presented.key, presented.secret)
}

/** A wrong secret is hashed once, as an unknown one is: again only if the record read anew has other secrets. */
function hasSameSecrets(a: Found, b: Found): boolean {
  return a.hashes[0] === b.hashes[0] && a.hashes[1] === b.hashes[1]
}

/** Looks at the key itself, now that its secret is proved. */
function open(parts: Parts, attempt: Attempt, found: Found, secret: Secret): Awaitable<Verdict> {
  if (secret === undefined) {
    attempt.refuted = found
    return attempt.current ? refuse(parts, attempt) : find(parts, attempt)
  }
  parts.throttle?.proved(textOf(attempt), String(found.hashes[secret === 'current' ? 0 : 1]))
  const known = parts.open(found)
  if (known === undefined) {
    return attempt.current ? parts.verdicts.deny(attempt, 'invalid_key') : find(parts, attempt)
  }
  attempt.overlap = secret === 'previous' ? overlapOf(known.stored) : undefined
  if (secret === 'current' && attempt.facts.connection !== undefined) {
    parts.proofs.keep(attempt, attempt.facts.connection, found)
  }
  return judge(parts, attempt, known)
}

/** Its times alone: a verdict goes where no hash may. */
function overlapOf({ previous }: Known['stored']): Attempt['overlap'] {
  return previous && { since: previous.since, until: previous.until }
}

/** Looks at everything that may forbid the request and consumes nothing. */
function judge(parts: Parts, attempt: Attempt, known: Known): Awaitable<Verdict> {
  const broken = firstBroken(known, attempt, parts.locate)
  if (broken !== undefined) {
    return attempt.current ? parts.verdicts.deny(attempt, broken, known) : find(parts, attempt)
  }
  if (attempt.overlap === undefined) parts.upgrades.upgrade(known, attempt)
  return ask(parts, attempt, known)
}

/** Asks the host about the account, where it wants to be asked. */
function ask(parts: Parts, attempt: Attempt, known: Known): Awaitable<Verdict> {
  if (parts.gatekeeper === undefined) return consume(parts, attempt, known)
  let word: Awaitable<GateCode | undefined>
  try {
    word = parts.gatekeeper(attempt, known)
  } catch (error) {
    return parts.verdicts.fault(attempt, 'gate', error, known)
  }
  if (!(word instanceof Promise)) return heed(parts, attempt, known, word)
  return word.then(
    (late) => heed(parts, resumed(parts, attempt), known, late),
    (error) => parts.verdicts.fault(attempt, 'gate', error, known),
  )
}

/** A gate that was shown a remembered record is asked again with the current one before it refuses. */
function heed(parts: Parts, attempt: Attempt, known: Known, word: GateCode | undefined): Awaitable<Verdict> {
  if (word === undefined) return consume(parts, attempt, known)
  return attempt.current ? parts.verdicts.deny(attempt, word, known) : find(parts, attempt)
}

/** Takes from all limits and the balance or from none, in one step that also proves that the record is still the current one. */
function consume(parts: Parts, attempt: Attempt, known: Known): Awaitable<Verdict> {
  const metered = parts.meter(attempt, known)
  if (!(metered instanceof Promise)) return decide(parts, attempt, known, metered)
  return metered.then(
    (taken) => decide(parts, attempt, known, taken),
    (error) => excuse(parts, attempt, known, error),
  )
}

/** A record that changed under the request is judged again, unless it keeps changing. */
function decide(parts: Parts, attempt: Attempt, known: Known, metered: Metered): Awaitable<Verdict> {
  if (metered.type === 'failed') return excuse(parts, attempt, known, metered.error)
  if (metered.type === 'stale') {
    attempt.current = true
    return prove(parts, resumed(parts, attempt), parts.keys.once(attempt.id, metered.stored))
  }
  if (metered.type === 'admitted') return parts.verdicts.admit(attempt, known, metered)
  if (metered.type === 'limited') return parts.verdicts.limit(attempt, known, metered)
  return parts.verdicts.deny(attempt, 'insufficient_balance', known, metered.balance)
}

function excuse(parts: Parts, attempt: Attempt, known: Known, error: unknown): Verdict {
  const excused = parts.lenience?.(attempt, known, error)
  if (excused === undefined) return parts.verdicts.fault(attempt, 'take', error, known)
  return parts.verdicts.admitUnmetered(attempt, known, excused, error)
}
