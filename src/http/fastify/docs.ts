import { isObject } from '../../model/is-object.ts'
import type { Scheme, Security } from '../security.ts'

/** Where a schema says what its operation will need: the document copies members that begin with `x-`. */
export const MARK = 'x-keyward-security'

/** What `@fastify/swagger` decorates an application with. */
export type WriteDocument = (options?: { readonly yaml?: boolean }) => unknown

interface Operation {
  [MARK]?: Security
  security?: unknown
}

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation | undefined>>>>
  components?: { securitySchemes?: Record<string, unknown> }
  securityDefinitions?: Record<string, unknown>
}

/**
 * Writes what marked operations need, and the schemes, into what `write` gives. `@fastify/swagger` itself fails at an
 * operation whose scheme the host did not describe beforehand; what the host did describe stays as it is.
 */
export function withSecurity(write: WriteDocument, schemes: Readonly<Record<string, Scheme>>): WriteDocument {
  return (options) => {
    const document = write() as Document
    for (const operations of Object.values(document.paths ?? {})) {
      for (const operation of Object.values(operations)) if (isObject(operation)) settle(operation)
    }
    if ('swagger' in document) document.securityDefinitions = { ...olden(schemes), ...document.securityDefinitions }
    else {
      document.components ??= {}
      document.components.securitySchemes = { ...schemes, ...document.components.securitySchemes }
    }
    // JSON is YAML (YAML 1.2, section 1.3).
    return options?.yaml === true ? JSON.stringify(document, null, 2) : document
  }
}

function settle(operation: Operation): void {
  if (operation[MARK] === undefined) return
  operation.security ??= operation[MARK]
  delete operation[MARK]
}

/** Swagger 2 has no bearer tokens. */
function olden(schemes: Readonly<Record<string, Scheme>>): Record<string, Scheme> {
  const header: Scheme = { type: 'apiKey', in: 'header', name: 'authorization' }
  return Object.fromEntries(
    Object.entries(schemes).map(([name, scheme]) => [name, scheme.type === 'http' ? header : scheme]),
  )
}
