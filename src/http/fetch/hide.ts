import { carry } from '../../model/attached.ts'

/** The fetch request without these headers: itself, or where a runtime does not let it be changed, a copy. */
export function hideInRequest<R extends Request>(request: R, names: readonly string[]): R {
  try {
    for (const name of names) request.headers.delete(name)
    return request
  } catch {
    const { url, method, signal } = request
    const headers = new Headers(request.headers)
    for (const name of names) headers.delete(name)
    // What was read already, a framework has kept.
    const copy = request.bodyUsed ? new Request(url, { method, headers, signal }) : new Request(request, { headers })
    carry(request, copy)
    return copy as R
  }
}
