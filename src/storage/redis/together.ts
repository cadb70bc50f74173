import type { Taken } from '../../model/store.ts'
import type { Run } from './connection.ts'
import { TAKE } from './scripts-spending.ts'
import { TakeAnswers } from './take-answers.ts'

/** One TAKE: of one key, and alone as far as it can tell. */
export type RunTake = (asked: AskedTake, read: Read) => Promise<Taken>

interface AskedTake {
  readonly record: string
  readonly counters: string
  readonly version: string
  readonly windows: string
  readonly costs: string
}

/** Reads its own answer, which is the next. */
type Read = (answers: TakeAnswers) => Taken

/** Each take alone. */
export function takesApart(run: Run): RunTake {
  return (asked, read) => ask(run, [asked]).then(read)
}

/**
 * So many in one command at the most: others wait for a script, so that it must not be long. When there are as many,
 * they go: the server has work while this process goes on.
 */
const MOST = 16

interface Waiting {
  readonly asked: AskedTake
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
  const counted: Run = (script, keys, args) => {
    underWay++
    return run(script, keys, args).finally(() => underWay--)
  }
  const alone = takesApart(counted)

  return (asked, read) => {
    if (underWay === 0) return alone(asked, read)
    return new Promise((resolve, reject) => {
      const count = waiting.push({ asked, read, resolve, reject })
      if (count === MOST) send()
      else if (count === 1) setImmediate(send)
    })
  }

  function send(): void {
    const some = waiting
    waiting = []
    if (some.length === 0) return
    const all = some.map(({ asked }) => asked)
    ask(counted, all).then(
      (answers) => {
        for (const one of some) conclude(one, answers)
      },
      (error) => {
        for (const { reject } of some) reject(error)
      },
    )
  }
}

function ask(run: Run, all: readonly AskedTake[]): Promise<TakeAnswers> {
  const keys = [...all.map(({ counters }) => counters), ...all.map(({ record }) => record)]
  return run(TAKE, keys, argsOf(all)).then((reply) => new TakeAnswers(reply))
}

/** As TAKE reads them. What many have in common is said once: most keys have the same windows and cost the same. */
function argsOf(all: readonly AskedTake[]): readonly string[] {
  const args = all.map(({ version }) => version)
  for (let from = 0, to = 0; from < all.length; from = to) {
    const { windows, costs } = all[from] as AskedTake
    while (to < all.length && all[to]?.windows === windows && all[to]?.costs === costs) to++
    args.push(String(to - from), windows, costs)
  }
  return args
}

function conclude({ read, resolve, reject }: Waiting, answers: TakeAnswers): void {
  try {
    resolve(read(answers))
  } catch (error) {
    reject(error)
  }
}
