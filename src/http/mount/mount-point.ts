import { KeywardError } from '../../model/errors.ts'
import { show } from '../../model/redact.ts'

/**
 * A mount point, without the slash at its end.
 * @throws KeywardError `CONFIG` for what is no path
 */
export function mountPoint(path: string): string {
  if (typeof path === 'string' && /^\/[^?#]*$/.test(path)) return path.replace(/\/+$/, '')
  throw new KeywardError(
    'CONFIG',
    `mount(path, handler): the path must begin with /, such as '/keys', not ${show(path)}`,
  )
}
