import type { ApiKeys } from '../api-keys.ts'
import { managementHandler } from './management/handler.ts'
import { type ManagementOptions, readOptions } from './management/options.ts'

export type { AuditEntry } from '../audit/entry.ts'
export { type AuditLog, type AuditLogOptions, type AuditPage, type AuditQuery, auditLog } from '../audit/log.ts'
export type { Authority, Authorize, Beside, ManagementVerb } from './management/authority.ts'
export type { DocumentOptions, ManagementOptions } from './management/options.ts'
export type { KeyField } from './management/schemas.ts'
export { describeGuards } from './openapi/guards.ts'
export { type DocumentedRoutes, managementDocument, type OpenApiDocument } from './openapi.ts'

/**
 * The routes by which people manage their keys, as one fetch-style handler: mount it where they shall be. Each request
 * is for whom `authorize` says, and whatever it does is done under that owner and resource. `GET` and `DELETE /self` are
 * for keys themselves.
 * @throws KeywardError `CONFIG` without `authorize`, and for each wrong option
 */
export function management(
  keys: ApiKeys,
  options: ManagementOptions,
): (request: Request, platform?: unknown) => Promise<Response> {
  return managementHandler(keys, readOptions(keys, options))
}
