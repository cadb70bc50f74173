import { clientAddress } from './credential/client-address.ts'
import { hideInNode } from './credential/hide.ts'
import { carriersOf } from './credential/reader.ts'
import { cameOverTls } from './credential/transport.ts'
import { remembering } from './hash/remembering.ts'
import { checkAnswers } from './http/answer-overrides.ts'
import type { Door } from './http/door.ts'
import { pairFormat, plainFormat } from './key/format.ts'
import { clashIn } from './key/prefix.ts'
import { createTurns } from './manage/in-turn.ts'
import { createInput } from './manage/input.ts'
import type { Office } from './manage/office.ts'
import { createRace } from './manage/race.ts'
import { createUnclear } from './manage/unclear.ts'
import { KeywardError } from './model/errors.ts'
import type { Announcer, FaultEvent } from './model/event.ts'
import type { Hasher } from './model/hasher.ts'
import { iso } from './model/iso.ts'
import { messageOf } from './model/redact.ts'
import type { KeyStore } from './model/store.ts'
import { warnOnce } from './model/warn.ts'
import { accountOf } from './policy/credits.ts'
import { compileDemand } from './policy/demand.ts'
import { type FailureLimit, failureBudget } from './policy/failures.ts'
import { coverage } from './policy/scopes.ts'
import type { Settings } from './settings.ts'
import { localWindows } from './storage/local-windows.ts'
import { type Admissions, createAdmissions } from './verify/admission.ts'
import { createEntrance, type Instance } from './verify/entrance.ts'
import type { Found } from './verify/found.ts'
import { createGatekeeper } from './verify/gatekeeper.ts'
import { type KnownKeys, knownKeys } from './verify/known-keys.ts'
import { type LeaseBook, leaseBookOf } from './verify/lease-book.ts'
import { createLenience } from './verify/lenience.ts'
import { createLocate } from './verify/locate.ts'
import { createMeter } from './verify/meter.ts'
import { neighboursOn } from './verify/neighbours.ts'
import { createOpening } from './verify/opening.ts'
import { createProofs } from './verify/proofs.ts'
import type { Locate } from './verify/rules.ts'
import { createSettlements } from './verify/settlements.ts'
import { createThrottle, type Throttle } from './verify/throttle.ts'
import { listen, type Tidings } from './verify/tidings.ts'
import { type Time, timekeeper } from './verify/time.ts'
import { createUpgrades } from './verify/upgrade.ts'
import { createUsage, type Usage } from './verify/usage.ts'
import { createVerdicts } from './verify/verdicts.ts'
import { type Parts, verify } from './verify/verifier.ts'

/** Everything that an instance verifies with. */
export interface Verification {
  readonly parts: Parts
  readonly instance: Instance
  readonly take: NonNullable<KeyStore['take']>
  /** What hot keys are leased by, where they are. */
  readonly leases: LeaseBook | undefined
  readonly usage: Usage
  /** When what is being given back has been. */
  readonly released: () => Promise<void>
  /** What is heard of other processes; `undefined` where nothing is remembered, or the store tells nothing. */
  readonly tidings: Tidings | undefined
  readonly look: () => Time
  /** A change is durable: what this process remembers of the key is to be forgotten. */
  readonly onChange: (id: string | '*') => void
}

export function assembleVerification(settings: Settings, store: KeyStore, events: Announcer): Verification {
  const look = timekeeper(settings.clock)
  const fault = (code: string) => (error: unknown, whose?: Pick<FaultEvent, 'id' | 'owner'>) => {
    if (!events.wants('fault')) return
    events.tell({ type: 'fault', at: iso(look().now), code, message: messageOf(error), ...whose })
  }
  const take = store.take ?? takeLocally()
  const usage = createUsage(store, settings.storeTimeout, fault('touch'))
  const locate = createLocate(settings.proxies)
  const leases = leaseBookOf(settings, store, look, fault('lease'))
  const { look: lookAt, open } = createOpening(settings, fault('record'))
  const keys = knownKeys({
    store,
    cache: settings.cache,
    moment: look,
    patience: settings.storeTimeout,
    look: lookAt,
    provenElsewhere: provenByTake(settings, store),
    onForget: leases?.forget,
  })
  const onChange = neighboursOn(settings.store, keys)
  const { move } = store
  const { credits, hasher, random } = settings
  const { hold, giveBack, released } = createSettlements({ move, credits, look, events, onFault: fault('settle') })
  const admissions = createAdmissions()
  const parts: Parts = {
    keys,
    open,
    hasher: proverOf(settings),
    upgrades: createUpgrades({ store, hasher, random, onChange, onFault: fault('upgrade') }),
    locate,
    gatekeeper: settings.gate && createGatekeeper(settings.gate, settings.storeTimeout),
    proofs: createProofs(),
    throttle: settings.failures && throttleOf(settings.failures, locate),
    meter: createMeter({ take, giveBack, credits, patience: settings.storeTimeout, look, leases }),
    lenience: settings.opensOnFault ? createLenience({ credits, maxLag: settings.cache?.maxLag, keys }) : undefined,
    verdicts: createVerdicts({ admissions, usage, events, locate, hold, look }),
    look,
  }
  const tidings = tidingsFor(settings, store, keys, fault('watch'))
  const instance = instanceOf(settings, parts, admissions, look)
  return { parts, instance, take, leases, usage, released, tidings, look, onChange }
}

/**
 * A take proves the version that it spends on, so a key with limits may be remembered for any time. Not where there is
 * a gate: it is shown the record before anything is taken.
 */
function provenByTake({ gate, credits }: Settings, { take }: KeyStore): (found: Found) => boolean {
  if (take === undefined || gate !== undefined) return () => false
  return ({ known }) =>
    known !== undefined && (known.windows.length > 0 || accountOf(credits, known.stored, 0) !== undefined)
}

/** Where keys are not remembered, what was proved of them still is: a hash says by itself whether it is the one. */
const MOST_PROOFS = 10_000

/** What texts are proved with: of a slow hasher, what it proved is remembered. */
function proverOf({ hasher, cache }: Settings): Hasher {
  return hasher.cheap ? hasher : remembering(hasher, Math.max(MOST_PROOFS, cache?.maxKeys ?? 0))
}

function tidingsFor(
  { cache, store, storeTimeout: patience }: Settings,
  { watch }: KeyStore,
  { forget }: KnownKeys,
  onFault: (error: unknown) => void,
): Tidings | undefined {
  return cache === undefined || watch === undefined ? undefined : listen({ store, watch, forget, onFault, patience })
}

/** How many networks are watched: an attacker may come from any number. */
const MOST_NETWORKS = 100_000

function throttleOf(limit: FailureLimit, locate: Locate): Throttle {
  return createThrottle(failureBudget(limit, localWindows({ most: MOST_NETWORKS })), locate)
}

function takeLocally(): NonNullable<KeyStore['take']> {
  const take = localWindows()
  return (...args) => {
    warnOnce('KEYWARD_LOCAL_LIMITS', 'The store has no take(): each process counts rate limits for itself.')
    return take(...args)
  }
}

function instanceOf(settings: Settings, parts: Parts, admissions: Admissions, look: () => Time): Instance {
  return {
    formats: settings.prefixes.all.map(settings.pair ? pairFormat : plainFormat),
    pair: settings.pair,
    sources: settings.sources,
    isSecure: settings.requireTls ? (facts) => cameOverTls(facts, settings.proxies) : undefined,
    hides: settings.hideCredentials,
    admitted: admissions.of,
    proofs: parts.proofs,
    carriedBefore: parts.proofs.last,
    look,
    verify: (attempt) => verify(parts, attempt),
    turnAway: parts.verdicts.turnAway,
  }
}

/** The instance's own entrance for guards, which may bring several instances together. */
export function assembleDoor(settings: Settings, { instance }: Verification): Door {
  const { realm, reveal, rateHeaders, answers, vocabulary, prefixes, names, plan, store } = settings
  return {
    instance,
    settings: { realm, reveal, rateHeaders, answers },
    context: { vocabulary, environments: prefixes.environments },
    making: { names, plan, coverage, keepsCredits: store.take !== undefined && store.move !== undefined },
    compile(demand, doors) {
      const clash = clashIn(doors.flatMap((each) => each.instance.formats.map(({ prefix }) => prefix)))
      if (clash !== undefined) throw new KeywardError('CONFIG', `guard: the prefixes of its instances ${clash}`)
      const requirement = compileDemand(demand, together(doors))
      return Object.freeze({ ...requirement, answers: checkAnswers(requirement.answers, 'demand: ') })
    },
    open: (doors, requirement, conclude) => createEntrance(instancesOf(doors), requirement, conclude),
    hide: settings.hideCredentials
      ? (doors, facts) => hideInNode(facts, carriersOf(instancesOf(doors), facts))
      : undefined,
    addressOf(facts) {
      const found = clientAddress(facts, settings.proxies)
      return typeof found === 'string' ? undefined : found.text
    },
  }
}

function instancesOf(doors: readonly Door[]): [Instance, ...Instance[]] {
  return doors.map(({ instance }) => instance) as [Instance, ...Instance[]]
}

/** What one of several instances knows may be demanded of all: the others' keys just never have it. */
function together(doors: readonly Door[]): Door['context'] {
  const vocabularies = doors.map(({ context }) => context.vocabulary)
  const free = vocabularies.includes(undefined)
  return {
    vocabulary: free ? undefined : new Set(vocabularies.flatMap((vocabulary) => [...(vocabulary ?? [])])),
    environments: doors.flatMap(({ context }) => context.environments),
  }
}

export function assembleOffice(
  settings: Settings,
  store: KeyStore,
  events: Announcer,
  { take, look, onChange }: Verification,
): Office {
  const { vocabulary, plan, names, prefixes } = settings
  return {
    store,
    take,
    input: createInput({ vocabulary, plan, names, environments: prefixes.environments }),
    hasher: settings.hasher,
    prefixes,
    pair: settings.pair,
    plan,
    uniqueNames: names === 'unique',
    credits: settings.credits,
    random: settings.random,
    generateId: settings.generateId,
    now: () => look().now,
    steady: () => look().steady,
    events,
    onChange,
    unseen: new Set(),
    inTurn: createTurns(),
    race: createRace(),
    unclear: createUnclear(store, events),
  }
}
