import type { Taken } from '../model/store.ts'
import type { Run } from './redis-connection.ts'
import { TAKE } from './redis-scripts-spending.ts'
import { TakeAnswers } from './redis-take-answers.ts'

/** One TAKE: of one key, and alone as far as it can tell. */
export type RunTake = (keys: readonly string[], args: TakeArgs, read: Read) => Promise<Taken>

/** Its arguments: the version, the windows and their costs. */
export type TakeArgs = readonly [version: string, windows: string, costs: string]

/** Reads its own answer, which is the next. */
type Read = (answers: TakeAnswers) => Taken

/** Each take alone. */
export function takesApart(run: Run): RunTake {
  return (keys, args, read) => run(TAKE, keys, args).then((reply) => read(new TakeAnswers(reply)))
}

/**
 * So many in one command at the most: others wait for a script, so that it must not be long. When there are as many,
 * they go: the server has work while this process goes on.
 */
const MOST = 16

interface Waiting {
  readonly keys: readonly string[]
  readonly args: TakeArgs
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
  const counted: Run = async (script, keys, args) => {
    underWay++
    try {
      return await run(script, keys, args)
    } finally {
      underWay--
    }
  }
  const alone = takesApart(counted)

  return (keys, args, read) => {
    if (underWay === 0) return alone(keys, args, read)
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
      alone(first.keys, first.args, first.read).then(first.resolve, first.reject)
      return
    }
    counted(
      TAKE,
      some.flatMap(({ keys }) => keys),
      argsOf(some),
    ).then(
      (reply) => {
        const answers = new TakeAnswers(reply)
        for (const one of some) settle(one, answers)
      },
      (error) => {
        for (const { reject } of some) reject(error)
      },
    )
  }
}

/** What is as before is not said again: most keys have the same windows and cost the same. */
function argsOf(some: readonly Waiting[]): readonly string[] {
  const said: string[] = []
  let before: TakeArgs | undefined
  for (const { args } of some) {
    const [version, windows, costs] = args
    said.push(version, windows === before?.[1] ? '=' : windows, costs === before?.[2] ? '=' : costs)
    before = args
  }
  return said
}

function settle({ read, resolve, reject }: Waiting, answers: TakeAnswers): void {
  try {
    resolve(read(answers))
  } catch (error) {
    reject(error)
  }
}
