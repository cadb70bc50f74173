import type { AuditLog } from '../../audit/log.ts'
import type { Duration } from '../../model/duration.ts'
import { parseDuration } from '../../model/duration.ts'
import { flawed, type Issue, type KeywardError } from '../../model/errors.ts'
import { isObject } from '../../model/is-object.ts'
import { own } from '../../model/own.ts'
import { messageOf, show, unwanted } from '../../model/redact.ts'
import { emitWarning } from '../../model/warn.ts'
import { documentFlaws } from '../document-options.ts'
import { DOOR } from '../door.ts'
import type { Authorize } from './authority.ts'
import { KEY_FIELDS, type KeyField } from './schemas.ts'

/** What the document of the routes says beside the routes. */
export interface DocumentOptions {
  /** @default 'API keys' */
  readonly title?: string
  /** Of the host's own interface. @default '1.0.0' */
  readonly version?: string
  /** How the host authenticates people: a `securitySchemes` object of OpenAPI, and what each route needs of it. */
  readonly securitySchemes?: Readonly<Record<string, unknown>>
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
}

export interface ManagementOptions {
  /**
   * Who is asking: whose keys they may manage and what they may do, or `undefined` for nobody. Asked for every request,
   * and the only one to decide: nothing in a body can widen it.
   */
  readonly authorize: Authorize
  /**
   * Which settings of a key people may give and change, such as `['name', 'expiresAt']`; any other field of a body is
   * refused. Without it they may set all: also a key's own `credits`, and any `limits` up to `limits.max`, without a
   * `max` any at all.
   * @default all
   */
  readonly fields?: readonly KeyField[]
  /** Where clients see the routes (`'/keys'`): for the `Location` of new keys, and the document. */
  readonly path?: string
  /** Origins of other sites whose pages may send changes, such as `'https://app.example.com'`. @default none */
  readonly origins?: readonly string[]
  /** How long `authorize` and `may` may take; then the request is refused. @default '5s' */
  readonly timeout?: Duration
  /**
   * Hears of what went wrong here, which the client is told nothing of: a fault of the store, of `authorize`. What it
   * throws rejects the request. @default a warning of the process
   */
  readonly onError?: (error: unknown, request: Request) => void
  /**
   * Whether whoever holds a key may ask what it is (`GET /self`) and end it (`DELETE /self`), with the key itself in
   * place of what `authorize` looks at.
   * @default true
   */
  readonly self?: boolean
  /** What was done to keys, for `GET /audit`: made by `auditLog(store)`, whose `onEvent` the instance was given. */
  readonly audit?: AuditLog
  /**
   * From where a request came, where there is no socket to ask: `trustedProxies` is asked about it as about a socket's
   * address. For events, and for the allowlist of a key that asks about itself.
   * @default the socket's, through `mount` and `@hono/node-server`; else it is not known
   */
  readonly address?: (request: Request, platform: unknown) => string | undefined
  readonly document?: DocumentOptions
}

export interface ManagementSettings {
  readonly authorize: Authorize
  readonly fields: readonly KeyField[] | undefined
  readonly path: string | undefined
  readonly origins: readonly string[]
  readonly patience: number
  readonly onError: (error: unknown, request: Request) => void
  readonly self: boolean
  readonly audit: AuditLog | undefined
  readonly address: (request: Request, platform: unknown) => string | undefined
  readonly document: DocumentOptions
}

export const OPTIONS = [
  'authorize',
  'fields',
  'path',
  'origins',
  'timeout',
  'onError',
  'self',
  'audit',
  'address',
  'document',
]
const NO_OPTION = `is not an option (${OPTIONS.join(', ')})`
const LONGEST = 3_600_000

/** @throws KeywardError `CONFIG` that names each wrong option */
export function readOptions(keys: unknown, options: unknown): ManagementSettings {
  if (Object(keys)[DOOR] === undefined) throw config([{ path: 'keys', message: 'must be what createApiKeys() made' }])
  if (!isObject(options)) throw config([NO_AUTHORIZE])
  const given = own(options as ManagementOptions)
  const issues: Issue[] = []
  const wrong = (path: string, message: string, value: unknown) =>
    issues.push({ path, message: `${message}, not ${show(value)}` })
  for (const [path, value] of Object.entries(given)) {
    if (!OPTIONS.includes(path)) issues.push({ path, message: unwanted(NO_OPTION, value) })
  }
  const { authorize, path, origins = [], timeout = '5s', onError = warn, document = {} } = given
  const { self = true, audit, address = peerOf, fields } = given
  const patience = parseDuration(timeout) ?? 0
  if (authorize === undefined) issues.push(NO_AUTHORIZE)
  else if (typeof authorize !== 'function') wrong('authorize', 'must be a function that says who is asking', authorize)
  if (fields !== undefined && !areFields(fields)) wrong('fields', `must be a list of ${KEY_FIELDS.join(', ')}`, fields)
  if (path !== undefined && !isPath(path)) wrong('path', "must be a path such as '/keys'", path)
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    wrong('origins', "must be a list of origins such as 'https://app.example.com'", origins)
  }
  if (patience < 1 || patience > LONGEST) wrong('timeout', "must be a time such as '5s', at most '1h'", timeout)
  if (typeof onError !== 'function') wrong('onError', 'must be a function', onError)
  if (typeof self !== 'boolean') wrong('self', 'must be true or false', self)
  if (audit !== undefined && !isAuditLog(audit)) wrong('audit', 'must be an auditLog()', audit)
  if (typeof address !== 'function') wrong('address', 'must be a function', address)
  issues.push(...documentFlaws(document))
  if (issues.length > 0) throw config(issues)
  const asked = { authorize, path, origins: [...origins], patience, onError: heardOut(onError), self, audit, address }
  return Object.freeze({ ...asked, fields: fields && [...fields], document: own(document) })
}

/** A store has a `list`, too: of records, with their hashes. */
function isAuditLog(audit: unknown): boolean {
  const { list, onEvent } = Object(audit)
  return typeof list === 'function' && typeof onEvent === 'function'
}

/** A promise of it is heard out, so that its failure does not end the process. */
function heardOut(onError: (error: unknown, request: Request) => unknown): ManagementSettings['onError'] {
  return (error, request) => {
    const told = onError(error, request)
    if (told instanceof Promise) told.catch(() => {})
  }
}

/** On Node, `mount` and `@hono/node-server` say beside a request what really came. */
function peerOf(_request: Request, platform: unknown): string | undefined {
  const { incoming } = Object(platform) as { readonly incoming?: { readonly socket?: { remoteAddress?: unknown } } }
  const peer = incoming?.socket?.remoteAddress
  return typeof peer === 'string' ? peer : undefined
}

const NO_AUTHORIZE = {
  path: 'authorize',
  message: 'must be a function that says who is asking: without it everybody could manage keys',
}

function areFields(fields: unknown): boolean {
  return Array.isArray(fields) && fields.every((field) => KEY_FIELDS.includes(field))
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^(\/[\w.~%-]+)+$/.test(path)
}

function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin
}

function warn(error: unknown): void {
  const kind = error instanceof Error ? `${error.name}: ` : ''
  emitWarning('KEYWARD_MANAGEMENT', `A management route failed: ${kind}${messageOf(error)}`)
}

function config(issues: readonly Issue[]): KeywardError {
  return flawed('CONFIG', issues, { where: 'management: ' })
}
