import { ANSWERS } from './management-answers.ts'
import type { ManagementSettings } from './management-options.ts'
import { DOCUMENT_PATH, ROUTES } from './management-routes.ts'
import { components } from './management-schemas.ts'
import { operationOf, PARAMETERS, refusalsOf } from './openapi-operations.ts'

/** An OpenAPI document, as far as Keyward writes in it. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly [member: string]: unknown
}

/** The document of the management routes: what they read is described by the schemas that they read it with. */
export function documentOf({ path, document }: Pick<ManagementSettings, 'path' | 'document'>): OpenApiDocument {
  const { title = 'API keys', version = '1.0.0', security, securitySchemes } = document
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of ROUTES) {
    const operations = paths[route.path] ?? {}
    paths[route.path] = operations
    operations[route.method.toLowerCase()] = operationOf(route)
  }
  paths[DOCUMENT_PATH] = { get: ITSELF }
  return {
    openapi: '3.1.0',
    info: { title, version, description: 'Make, read, change and end the API keys of whoever is signed in.' },
    // The document lies beside the routes.
    servers: [{ url: path ?? '.' }],
    ...(security === undefined ? {} : { security }),
    tags: [{ name: 'API keys', description: 'Keys by which programs use the service.' }],
    paths,
    components: {
      parameters: PARAMETERS,
      schemas: components(ANSWERS),
      ...(securitySchemes === undefined ? {} : { securitySchemes }),
    },
  }
}

const ITSELF = {
  operationId: 'readDocument',
  summary: 'Read this document.',
  tags: ['API keys'],
  responses: {
    200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
    ...refusalsOf(['unauthenticated', 'internal_error', 'unavailable']),
  },
}
