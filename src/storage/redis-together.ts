import { KeywardError } from '../model/errors.ts'
import { redact } from '../model/redact.ts'
import type { Taken } from '../model/store.ts'
import type { Run } from './redis-connection.ts'
import { TAKE } from './redis-scripts.ts'

/** One TAKE: of one key, and alone as far as it can tell. */
export type RunTake = (keys: readonly string[], args: readonly string[], read: Read) => Promise<Taken>

/** What its answer means. */
type Read = (answer: unknown) => Taken

/**
 * So many in one command at the most: others wait for a script, so that it must not be long. When there are as many,
 * they go: the server has work while this process goes on.
 */
const MOST = 16

interface Waiting {
  readonly keys: readonly string[]
  readonly args: readonly string[]
  readonly read: Read
  readonly resolve: (taken: Taken) => void
  readonly reject: (error: unknown) => void
}

/**
 * Takes of one turn of the event loop go in one command, each still decided for itself: a command costs the server as
 * much as a take. One that comes while no other is under way is a command of its own, and goes at once.
 */
export function takesTogether(run: Run): RunTake {
  let waiting: Waiting[] = []
  let underWay = 0

  return (keys, args, read) => {
    if (underWay === 0) return sent(keys, args).then(read)
    return new Promise((resolve, reject) => {
      const count = waiting.push({ keys, args, read, resolve, reject })
      if (count === MOST) send()
      else if (count === 1) setImmediate(send)
    })
  }

  function send(): void {
    const some = waiting
    waiting = []
    const [first] = some
    if (first === undefined) return
    if (some.length === 1) {
      sent(first.keys, first.args).then(first.read).then(first.resolve, first.reject)
      return
    }
    const keys: string[] = []
    const args: string[] = []
    for (const one of some) {
      keys.push(...one.keys)
      args.push(...one.args)
    }
    sent(keys, args).then(
      (answers) => {
        for (const [at, one] of some.entries()) settle(one, Array.isArray(answers) ? answers[at] : undefined)
      },
      (error) => {
        for (const { reject } of some) reject(error)
      },
    )
  }

  async function sent(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    underWay++
    try {
      return await run(TAKE, keys, args)
    } finally {
      underWay--
    }
  }
}

/** Words in place of an answer are why there is none. */
function settle({ read, resolve, reject }: Waiting, answer: unknown): void {
  try {
    if (!Array.isArray(answer)) throw new KeywardError('STORE', `Redis: ${redact(String(answer))}`)
    resolve(read(answer))
  } catch (error) {
    reject(error)
  }
}
