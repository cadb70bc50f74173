/** An answer of a management route, before it is written. */
export interface Reply {
  readonly status: number
  /** Written as JSON; absent where there is nothing to say. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What was read of a request, or the answer that says why it cannot be. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reply: Reply }

const ALWAYS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

/** @param silent whether the body is left out, as in the answer to `HEAD` */
export function responseTo({ status, body, headers }: Reply, silent: boolean): Response {
  if (body === undefined) return new Response(null, { status, headers: { ...ALWAYS, ...headers } })
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const described = { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) }
  return new Response(silent ? null : bytes, { status, headers: { ...described, ...ALWAYS, ...headers } })
}
