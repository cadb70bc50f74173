import type { KeyRecord } from '../../model/key.ts'
import type { Language } from '../language.ts'
import { type ConsoleSettings, SETTINGS, textsIn } from '../settings.ts'
import type { Problem } from './problem.ts'
import type { Texts } from './texts.ts'

export type Answer<T> =
  | { readonly ok: true; readonly body: T; readonly etag: string | undefined }
  | { readonly ok: false; readonly problem: Problem }

export interface Made {
  /** Absent where the same request had made the key before: its text was told then. */
  readonly key?: string
  readonly secret?: string
  readonly record: KeyRecord
}

export interface KeyPage {
  readonly items: readonly KeyRecord[]
  readonly cursor?: string
}

export interface Filter {
  readonly status?: string | undefined
  readonly name?: string | undefined
  readonly resource?: string | undefined
}

interface Tags {
  /** Makes one key however often it is sent. */
  readonly idempotencyKey?: string
  /** What the change was made to. */
  readonly etag?: string | undefined
}

export type Shown = { readonly record: KeyRecord }
export type Api = ReturnType<typeof createApi>

/** Where the routes are, with a slash at its end: where the script came from, if it is not said. */
export function baseOf(src: string | undefined): string {
  const { href } = src === undefined ? new URL('.', import.meta.url) : new URL(src, document.baseURI)
  return href.endsWith('/') ? href : `${href}/`
}

/** What stands before the service may answer in its place, with whatever it likes: then its status has to do. */
async function answerOf<T>(response: Response, doubt: Problem['outcome']): Promise<Answer<T>> {
  const { ok, status, headers } = response
  const isEmpty = status === 204
  const told = isEmpty ? undefined : await response.json().catch(() => undefined)
  // A proxy that compresses makes a weak tag of it, which would match nothing: the service has none.
  if (ok && (isEmpty || told !== undefined)) return { ok, body: told, etag: headers.get('ETag')?.replace('W/', '') }
  const nothing = { code: '', detail: '', issues: [] }
  if (told?.status === status) return { ok: false, problem: { ...nothing, ...told } }
  return { ok: false, problem: { ...nothing, status, outcome: ok || status >= 500 ? doubt : undefined } }
}

/**
 * The management routes.
 * @param base where they are
 * @param early answers that have come already, by what would be asked: each is used once
 */
export function createApi(base: string, early: Map<string, unknown>) {
  const url = (path: string) => new URL(path, base).href

  async function call<T>(method: string, path: string, body?: object, tags: Tags = {}): Promise<Answer<T>> {
    const known = method === 'GET' ? early.get(path) : undefined
    early.delete(path)
    if (known !== undefined) return { ok: true, body: known as T, etag: undefined }
    const headers = new Headers({ Accept: 'application/json' })
    if (body !== undefined) headers.set('Content-Type', 'application/json')
    if (tags.idempotencyKey !== undefined) headers.set('Idempotency-Key', tags.idempotencyKey)
    if (tags.etag !== undefined) headers.set('If-Match', tags.etag)
    const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) }
    // What was not understood may have happened, unless it only asked.
    const doubt = method === 'GET' ? undefined : 'unknown'
    try {
      return await answerOf(await fetch(url(path), init), doubt)
    } catch {
      // What is sent again under its key makes nothing twice.
      const outcome = tags.idempotencyKey === undefined ? doubt : undefined
      return { ok: false, problem: { status: 0, code: 'offline', detail: '', issues: [], outcome } }
    }
  }

  return {
    texts: (language: Language) => call<Texts>('GET', textsIn(language)),
    settings: () => call<ConsoleSettings>('GET', SETTINGS),
    list(filter: Filter, limit: number, cursor: string | undefined) {
      const asked = Object.entries({ ...filter, limit: String(limit), cursor })
      const query = asked.flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []))
      return call<KeyPage>('GET', `?${new URLSearchParams(query)}`)
    },
    create: (body: object, idempotencyKey: string) => call<Made>('POST', '', body, { idempotencyKey }),
    get: (id: string) => call<Shown>('GET', id),
    update: (id: string, body: object, etag: string | undefined) => call<Shown>('PATCH', id, body, { etag }),
    rotate: (id: string, overlap: string | number, etag: string | undefined) =>
      call<Made>('POST', `${id}/rotate`, { overlap }, { etag }),
    disable: (id: string) => call<Shown>('POST', `${id}/disable`),
    enable: (id: string) => call<Shown>('POST', `${id}/enable`),
    revoke: (id: string, reason: string) => call<Shown>('POST', `${id}/revoke`, reason === '' ? {} : { reason }),
    remove: (id: string) => call<undefined>('DELETE', id),
  }
}
