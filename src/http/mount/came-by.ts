const CAME_BY = Symbol.for('keyward.cameBy')

/** What a request below a mount point was made of: Node's own, or what is known without it. */
export interface Origin {
  /** Express takes the mount point off `url`, and keeps what was there. */
  readonly originalUrl?: string
  readonly url?: string | undefined
  readonly rawHeaders?: unknown
  readonly socket?: unknown
}

/** What a request was made of; `undefined` where nobody said. */
export function cameBy(request: object): Origin | undefined {
  return (request as { readonly [CAME_BY]?: Origin })[CAME_BY]
}

/** The request, of which is known what it was made of: a guard below finds there how many lines came. */
export function withCame(request: Request, origin: Origin): Request {
  return Object.defineProperty(request, CAME_BY, { value: origin })
}

/** The path that the client asked for, as it wrote it, also above the mount point; `undefined` where nobody said. */
export function askedAt(request: Request): string | undefined {
  const origin = cameBy(request)
  return origin && originForm(`${origin.originalUrl ?? origin.url}`).split('?')[0]
}

/** A request-target without the origin that a proxy's may begin with (RFC 9112 section 3.2.2). */
export function originForm(url: string): string {
  return url.replace(/^[^/?]+\/\/[^/?]*/, '')
}
