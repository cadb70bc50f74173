import crypto from 'node:crypto'

type Encoding = 'hex' | 'binary'

/** A digest in 16 characters of two bytes each: half as many to compare. Node takes any encoding of a Buffer here; its types name four. */
export const PACKED = 'ucs2' as 'binary'

/** SHA-256 of a text. `crypto.hash` takes half the time of `createHash`, and exists from Node 20.12 on. */
export const sha256Of: (text: string, encoding: Encoding) => string =
  typeof crypto.hash === 'function'
    ? (text, encoding) => crypto.hash('sha256', text, encoding)
    : (text, encoding) => crypto.createHash('sha256').update(text).digest(encoding)

/** Random text of this process, to hash under. It is made when it is first asked for: Workers have no chance while they load. */
export function newSalt(): () => string {
  let salt: string | undefined
  return () => {
    salt ??= crypto.randomBytes(12).toString('hex')
    return salt
  }
}
