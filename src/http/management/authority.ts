import type { Awaitable } from '../../model/awaitable.ts'
import { lineFlaw } from '../../model/line.ts'
import { inherited, own } from '../../model/own.ts'
import { within } from '../../model/timer.ts'
import { warnOnce } from '../../model/warn.ts'

/** What somebody may be asked for: the verbs of the management routes. */
export type ManagementVerb =
  | 'create'
  | 'list'
  | 'read'
  | 'update'
  | 'rotate'
  | 'disable'
  | 'enable'
  | 'revoke'
  | 'remove'
  | 'audit'

/** The host's answer to who is asking: whose keys they may see, and what they may do to them. */
export interface Authority {
  /** Whose keys; those of others are as unknown as made-up ones. */
  readonly owner: string
  /** Only the keys of this resource, and what new keys are for. `undefined` is all of them: check a path parameter before it gets here. */
  readonly resource?: string | undefined
  /** Who does it, for events. */
  readonly actor?: string | undefined
  /**
   * The scopes that they may give to keys, such as `['contacts:*', 'models:use']`. They may always keep, narrow and take
   * away what a key has; of a key that has more they get no new secret.
   * @default all
   */
  readonly grants?: readonly string[]
  /** Asked for each verb; without it, and where it is `undefined`, everything is allowed. */
  readonly may?: ((verb: ManagementVerb) => Awaitable<boolean>) | undefined
}

/** What stands beside a request where `mount` serves it. */
export interface Beside {
  /** The request as Node has it; on Express it is Express's own, with `params` of the path that it is mounted at. */
  readonly incoming?: { readonly params?: Readonly<Record<string, unknown>> }
}

export type Authorize = (request: Request, beside: Beside) => Awaitable<Authority | null | undefined>

/** Where the request came by. */
export interface Arrival {
  readonly request: Request
  /** What the handler was given beside it. */
  readonly platform: unknown
}

/**
 * Asks the host who it is, anew for every request: what was answered is never remembered. Whatever is no authority
 * lets nobody in.
 * @throws what `authorize` throws, and an Error where it gives no answer within `patience` ms
 */
export async function identify(
  authorize: Authorize,
  { request, platform }: Arrival,
  patience: number,
): Promise<Authority | undefined> {
  const beside = Object(platform) as Beside
  const answer: unknown = await inTime('authorize', patience, async () => authorize(request, beside))
  if (answer === undefined || answer === null) return undefined
  const authority = own(Object(answer) as Authority)
  const flaw =
    typeof answer === 'object' ? (flawOfClass(answer) ?? flawOf(authority)) : `a value of type ${typeof answer}`
  if (flaw === undefined) return authority
  const rule = 'It gives { owner, resource?, actor?, grants?, may? }, all its own members, or undefined.'
  warnOnce('KEYWARD_AUTHORIZE', `authorize of management() gave ${flaw}: nobody is let in. ${rule}`)
  return undefined
}

const MEMBERS = ['owner', 'resource', 'actor', 'grants', 'may']

/** Only a plain `true` is a yes. @throws what `may` throws, and an Error where it is late */
export async function isAllowed(authority: Authority, verb: ManagementVerb, patience: number): Promise<boolean> {
  const { may } = authority
  if (may === undefined) return true
  return (await inTime('may', patience, async () => may.call(authority, verb))) === true
}

/** Of a class with getters nothing would be left by `own`: what was to forbid something must not be left out in silence. */
function flawOfClass(answer: object): string | undefined {
  const member = inherited(answer, MEMBERS)
  return member && `${member} as a member of its class`
}

/** What is wrong with an authority, told without its values. */
function flawOf(authority: Authority): string | undefined {
  const { grants, may } = authority
  for (const name of ['owner', 'resource', 'actor'] as const) {
    // What can stand in a record or an event.
    const flaw = name !== 'owner' && authority[name] === undefined ? undefined : lineFlaw(authority[name], 256)
    if (flaw !== undefined) return `a wrong ${name} (${flaw})`
  }
  // Grants that are there and `undefined` are those of a role that nobody knows: that must not make a guest an administrator.
  const areGrants = Array.isArray(grants) && grants.every((grant) => lineFlaw(grant, 256) === undefined)
  if (Object.hasOwn(authority, 'grants') && !areGrants) return 'grants that are no list of text'
  return may === undefined || typeof may === 'function' ? undefined : 'a may that is no function'
}

function inTime<T>(what: string, patience: number, ask: () => Promise<T>): Promise<T> {
  return within(ask(), patience, () => new Error(`${what} of management() gave no answer within ${patience} ms`))
}
