import { KeywardError } from '../model/errors.ts'
import { show } from '../model/redact.ts'

/**
 * @param usage how the handler is to be given
 * @throws KeywardError `CONFIG` for what is no handler, such as an application of Hono, whose handler is `app.fetch`
 */
export function checkHandler(handler: unknown, usage: string): void {
  if (typeof handler === 'function') return
  throw new KeywardError('CONFIG', `${usage}: the handler must be a function, not ${show(handler)}`)
}
