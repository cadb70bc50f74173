import type { ApiKeys, Issue, KeyRecord } from 'keyward'
import { type ManagementOptions, management } from 'keyward/management'

/** Whatever a route may answer. */
interface Body {
  readonly key: string
  readonly secret: string
  readonly record: KeyRecord
  readonly items: readonly KeyRecord[]
  readonly cursor: string
  readonly code: string
  readonly detail: string
  readonly request_id: string
  readonly issues: readonly Issue[]
  readonly outcome?: string
  readonly error: { readonly param: string | null }
}

/** What a client has to look at. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Body
}

export interface Sent {
  /** Written as JSON, and said to be. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly raw?: string | Uint8Array | ReadableStream
  readonly headers?: Readonly<Record<string, string>>
}

export type Ask = (method: string, path: string, sent?: Sent) => Promise<Told>

/** Whoever says so in a header. */
const authorize: ManagementOptions['authorize'] = ({ headers }) => {
  const [owner, resource, actor] = ['x-owner', 'x-resource', 'x-actor'].map((name) => headers.get(name) ?? undefined)
  return owner === undefined ? undefined : { owner, resource, actor }
}

/** A client of the management routes: of `acct_1`, unless its headers say otherwise. */
export function clientOf(keys: ApiKeys, options: Partial<ManagementOptions> = {}): Ask {
  return asking(management(keys, { authorize, ...options }))
}

export function asking(handler: (request: Request) => Promise<Response>): Ask {
  return async (method, path, { json, raw, headers } = {}) => {
    const body = json === undefined ? raw : JSON.stringify(json)
    const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' }
    const request = new Request(`http://service.test${path}`, {
      method,
      headers: { 'x-owner': 'acct_1', ...type, ...headers },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    } as RequestInit)
    // A fetch request says of itself that it is text; what has no type is what a test wants to send.
    if (json === undefined && headers?.['content-type'] === undefined) request.headers.delete('content-type')
    const response = await handler(request)
    const text = await response.text()
    const isJson = text !== '' && (response.headers.get('content-type') ?? '').includes('json')
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
  }
}

/** A refusal, but for what is new each time. */
export function unnumbered({ status, headers, body }: Told) {
  const { request_id: _, ...rest } = body
  const fields = Object.fromEntries([...headers].filter(([name]) => !name.endsWith('request-id')))
  return { status, headers: fields, body: rest }
}
