import { type KeyStore, KeywardError } from 'keyward'

/** Whoever answers fetch: a service binding, or a server's own `fetch`. */
export type Fetcher = (request: Request) => Promise<Response>

const VERBS = ['find', 'insert', 'replace', 'remove', 'list', 'touch', 'take', 'lease', 'move', 'revokeWhere'] as const
/** How what a store refuses is told. */
const CODES: Readonly<Record<number, 'INPUT' | 'CONFLICT'>> = { 400: 'INPUT', 409: 'CONFLICT' }
type Verb = (typeof VERBS)[number]

/** A store behind HTTP: each verb is a POST of what it was given, as JSON. The other end is `storeServer`. */
export function httpStore(fetcher: Fetcher): KeyStore {
  const ask = async (verb: Verb, given: readonly unknown[]): Promise<unknown> => {
    const response = await fetcher(new Request(`http://store/${verb}`, { method: 'POST', body: JSON.stringify(given) }))
    const code = CODES[response.status]
    if (code !== undefined) throw new KeywardError(code, await response.text())
    if (!response.ok) throw new Error(`the store answered ${response.status}`)
    const { value } = (await response.json()) as { value?: unknown }
    // JSON has no `undefined`, by which `take` says that there is no such key.
    const takes = verb === 'take' || verb === 'lease'
    return takes && Object.keys(Object(value)).length === 0 ? { stale: undefined } : value
  }
  const verbs = VERBS.map((verb) => [verb, (...given: unknown[]) => ask(verb, given)])
  return Object.fromEntries(verbs) as unknown as KeyStore
}

/** Serves a store to `httpStore`. */
export function storeServer(store: KeyStore): Fetcher {
  return async (request) => {
    const verb = VERBS.find((each) => new URL(request.url).pathname === `/${each}`)
    const run = verb && (store[verb] as undefined | ((...given: unknown[]) => unknown))
    if (run === undefined) return new Response('no such verb', { status: 404 })
    try {
      return Response.json({ value: await run.apply(store, (await request.json()) as unknown[]) })
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return new Response(message, {
        status: Number(Object.keys(CODES).find((at) => CODES[Number(at)] === code) ?? 500),
      })
    }
  }
}
