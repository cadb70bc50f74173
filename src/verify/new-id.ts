import { newSalt } from '../hash/digest.ts'

/** What the requests of this process hold and lease is told apart from what others do. */
const processName = newSalt()
let ids = 0

/** An id that no process has used: at most 32 letters and digits. */
export function newId(): string {
  return `${processName()}${(++ids).toString(36)}`
}
