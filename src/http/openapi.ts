import type { ApiKeys } from '../api-keys.ts'
import { flawed } from '../model/errors.ts'
import { present } from '../model/present.ts'
import { documentFlaws } from './document-options.ts'
import { DOOR, type WithDoor } from './door.ts'
import { ANSWERS } from './management/answers.ts'
import type { ManagementOptions, ManagementSettings } from './management/options.ts'
import { DOCUMENT_PATH, type NamedRoute, routesFor } from './management/routes.ts'
import { components, settable } from './management/schemas.ts'
import { operationOf, PARAMETERS, refusalsOf } from './openapi/operations.ts'
import { type Scheme, type Security, securityOf } from './security.ts'

/** An OpenAPI document, as far as Keyward writes in it. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly [member: string]: unknown
}

/** What the document is of. */
export interface DocumentedRoutes extends Pick<ManagementOptions, 'path' | 'document' | 'self' | 'fields'> {
  /** Whether there is an audit log. @default false */
  readonly audit?: boolean
  /** Whose keys: how they are sent, for `/self`, and whether they can have `credits`. @default as keys are read by default */
  readonly keys?: ApiKeys
}

/**
 * The document of the routes (OpenAPI 3.1), to be written to a file. It is what `GET /openapi.json` answers.
 * @throws KeywardError `CONFIG` that names each wrong member of `document`
 */
export function managementDocument(of: DocumentedRoutes = {}): OpenApiDocument {
  const { path, document = {}, self = true, audit = false, fields, keys } = of
  const issues = documentFlaws(document)
  if (issues.length > 0) throw flawed('CONFIG', issues, { where: 'managementDocument: ' })
  return documentOf({ path, document, fields }, routesFor({ self, audit }), keys)
}

/** What they read is described by the schemas that they read it with. */
export function documentOf(
  { path, document, fields }: Pick<ManagementSettings, 'path' | 'document' | 'fields'>,
  routes: readonly NamedRoute[],
  keys: WithDoor | undefined,
): OpenApiDocument {
  const { title = 'API keys', version = '1.0.0', security, securitySchemes } = document
  const credentials = routes.some(({ verb }) => verb === 'self') ? credentialsOf(keys) : undefined
  const schemes = { ...credentials?.schemes, ...securitySchemes }
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const operations = paths[route.path] ?? {}
    paths[route.path] = operations
    operations[route.method.toLowerCase()] = operationOf(route, credentials?.security, keys?.[DOOR].settings.answers)
  }
  paths[DOCUMENT_PATH] = { get: ITSELF }
  return {
    openapi: '3.1.0',
    info: { title, version, description: 'Make, read, change and end the API keys of whoever is signed in.' },
    // The document lies beside the routes.
    servers: [{ url: path ?? '.' }],
    ...present({ security }),
    tags: [{ name: 'API keys', description: 'Keys by which programs use the service.' }],
    paths,
    components: {
      parameters: PARAMETERS,
      schemas: components(ANSWERS, settable(fields, keys)),
      ...(Object.keys(schemes).length === 0 ? {} : { securitySchemes: schemes }),
    },
  }
}

interface Credentials {
  readonly security: Security
  readonly schemes: Readonly<Record<string, Scheme>>
}

const USUAL: Credentials = {
  security: [{ bearer: [] }, { xApiKey: [] }],
  schemes: { bearer: { type: 'http', scheme: 'bearer' }, xApiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
}

function credentialsOf(keys: WithDoor | undefined): Credentials {
  return keys === undefined ? USUAL : securityOf(keys, false)
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
