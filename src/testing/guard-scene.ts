import type { ApiKeys, ApiKeysOptions, Created, CreateInput, DenialCode } from '../index.ts'
import { createApiKeys } from '../index.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Demand } from '../model/demand.ts'
import type { KeyStore } from '../model/store.ts'
import { memoryStore } from '../storage/memory.ts'
import { type FakeClock, fakeClock } from './fake-clock.ts'

export type Line = readonly [name: string, value: string]

/** Reads a header of a framework's own request object, by its name in lower case. */
export type ReadHeader = (request: never, name: string) => string | undefined

/** What a scene plays with: an instance and a key of it, the same at every playing. */
export interface Stage {
  readonly keys: ApiKeys
  readonly clock: FakeClock
  readonly created: Created
  /** Another key of the same instance. */
  readonly other: Created
}

/** A request to a guarded route, and what becomes of it. */
export interface Scene {
  readonly id: string
  readonly name: string
  /** A fault of the host is no verdict: how it is answered is the framework's own affair. */
  readonly expected: DenialCode | 'admitted' | 'anonymous' | 'fault'
  readonly options?: Partial<ApiKeysOptions>
  readonly input?: Partial<CreateInput>
  /** A demand; its functions read headers, because each framework has a request object of its own. */
  readonly demand?: (header: (name: string) => (request: unknown) => string | undefined) => Demand
  readonly before?: (stage: Stage) => unknown
  /** What is sent, where it is not the key as a bearer token. */
  readonly lines?: (stage: Stage) => Awaitable<readonly Line[]>
  readonly method?: string
  /** Whether the guard has another instance too, and where. */
  readonly beside?: 'before' | 'after'
}

/** A scene, set up: nothing has been asked yet. */
export interface Play extends Stage {
  readonly guarded: readonly ApiKeys[]
  readonly demand: Demand | undefined
  readonly lines: readonly Line[]
}

export const PREFIX = 'chk_live_'

export async function play(scene: Scene, read: ReadHeader): Promise<Play> {
  const clock = fakeClock()
  const keys = createApiKeys({ prefix: PREFIX, clock, store: quiet(), ...scene.options })
  const created = await keys.create({ owner: 'acct_1', name: 'first', ...scene.input })
  const other = await keys.create({ owner: 'acct_2', name: 'second', ...scene.input })
  const stage = { keys, clock, created, other }
  await scene.before?.(stage)
  const header = (name: string) => (request: unknown) => read(request as never, name)
  return {
    ...stage,
    guarded: together(keys, scene.beside),
    demand: scene.demand?.(header),
    lines: (await scene.lines?.(stage)) ?? [['Authorization', `Bearer ${created.key}`]],
  }
}

function together(keys: ApiKeys, beside: Scene['beside']): readonly ApiKeys[] {
  if (beside === undefined) return [keys]
  const another = createApiKeys({ prefix: 'oth_', store: quiet(), realm: 'others' })
  return beside === 'before' ? [another, keys] : [keys, another]
}

/** A store of memory that the host named: it needs no warning in production. */
function quiet(): KeyStore {
  return { ...memoryStore() }
}

/** A store in which one verb does something else than it should. */
export function failing(verb: 'find' | 'take', fault: () => unknown): KeyStore {
  return { ...memoryStore(), [verb]: fault } as KeyStore
}

/** A store that answers a turn of the event loop later, as one behind a network does. */
export function distant(): KeyStore {
  const inner = memoryStore()
  const find: KeyStore['find'] = async (id) => {
    await new Promise((resolve) => setImmediate(resolve))
    return inner.find(id)
  }
  return { ...inner, find }
}
