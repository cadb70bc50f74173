import type { paths } from '../management-paths.d.ts'

type Method = 'get' | 'post' | 'patch' | 'delete'

/** The operation that a method of a path is, in what openapi-typescript made of the document. */
type OperationOf<P extends keyof paths, M extends Method> = Extract<paths[P][M], { readonly responses: object }>

/** Paths that know a method. */
type PathWith<M extends Method> = {
  [P in keyof paths]: OperationOf<P, M> extends never ? never : P
}[keyof paths]

/** `parameters` and `body` as the document has them, each required where it requires one. */
type Given<Operation> = (Operation extends { readonly parameters: infer Parameters }
  ? { readonly [In in keyof Parameters]: Parameters[In] }
  : object) &
  (Operation extends { readonly requestBody: { readonly content: { readonly 'application/json': infer Body } } }
    ? { readonly body: Body }
    : Operation extends { readonly requestBody?: { readonly content: { readonly 'application/json': infer Body } } }
      ? { readonly body?: Body }
      : object)

/** What is answered with each status that is no refusal. */
type Answered<Responses> = {
  [Status in keyof Responses & (200 | 201 | 204)]: {
    readonly status: Status
    readonly etag: string | undefined
    readonly body: Responses[Status] extends { readonly content: { readonly 'application/json': infer Body } }
      ? Body
      : undefined
  }
}[keyof Responses & (200 | 201 | 204)]

type AnswerOf<Operation> = Operation extends { readonly responses: infer Responses } ? Answered<Responses> : never

/** A client as somebody writes it who has nothing but the document: typed by it, and over plain `fetch`. */
export function clientAt(base: string, usual: Readonly<Record<string, string>> = {}) {
  return async function call<M extends Method, P extends PathWith<M>>(
    method: M,
    path: P,
    given: Given<OperationOf<P, M>>,
  ): Promise<AnswerOf<OperationOf<P, M>>> {
    const { path: names = {}, query = {}, header = {}, body } = given as Loose
    const place = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(names[name])))
    const url = new URL(`${base}${place === '/' ? '' : place}`)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
    const type = body === undefined ? undefined : { 'content-type': 'application/json' }
    const response = await fetch(url, {
      method: method.toUpperCase(),
      headers: { ...usual, ...type, ...header },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: unknown = response.status === 204 ? undefined : await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    const told: unknown = { status: response.status, etag: response.headers.get('etag') ?? undefined, body: answer }
    return told as AnswerOf<OperationOf<P, M>>
  }
}

interface Loose {
  readonly path?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, string>>
  readonly body?: unknown
}
