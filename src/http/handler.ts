import { KeywardError } from '../model/errors.ts'

/** @throws KeywardError `CONFIG` for what is no handler, such as an application of Hono, whose handler is `app.fetch` */
export function checkHandler(handler: unknown, whose: 'guard' | 'mount'): void {
  if (typeof handler !== 'function') throw new KeywardError('CONFIG', `${whose}: its handler must be a function`)
}
