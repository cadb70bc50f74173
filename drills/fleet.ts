import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { workerProgram } from './program.ts'
import type { Answers, Job, Order } from './worker.ts'

/** One process of several that serve the same keys. */
export interface Worker {
  readonly port: number
  /** Rejects with the code of what was thrown, and when the process ends before it answers. */
  order<O extends Order>(order: O): Promise<Answers[O['do']]>
  /** SIGSTOP. */
  stop(): void
  /** SIGCONT. */
  resume(): void
  kill(): Promise<void>
  hasEnded(): boolean
}

export interface Fleet {
  readonly workers: readonly Worker[]
  end(): Promise<void>
}

/** Starts processes that serve, each on a port of its own. */
export async function startFleet(count: number, jobOf: Job | ((at: number) => Job)): Promise<Fleet> {
  const jobs = Array.from({ length: count }, (_, at) => (typeof jobOf === 'function' ? jobOf(at) : jobOf))
  const workers = await Promise.all(jobs.map(startWorker))
  return {
    workers,
    end: async () => {
      await Promise.all(workers.map(({ kill }) => kill()))
    },
  }
}

async function startWorker(job: Job): Promise<Worker> {
  const child = fork(await workerProgram(), [JSON.stringify(job)], { execArgv: [] })
  const [port] = (await Promise.race([once(child, 'message'), ended(child)])) as [number]
  const pending = listenTo(child)
  let n = 0
  return {
    port,
    order<O extends Order>(order: O): Promise<Answers[O['do']]> {
      return new Promise((resolve, reject) => {
        pending.set(++n, { resolve: (answer) => resolve(answer as Answers[O['do']]), reject })
        child.send({ n, order }, (error) => error && reject(error))
      })
    },
    stop: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      if (hasEnded(child)) return
      const over = once(child, 'exit')
      child.kill('SIGKILL')
      await over
    },
    hasEnded: () => hasEnded(child),
  }
}

interface Reply {
  readonly n: number
  readonly answer?: unknown
  readonly error?: string
}

interface Pending {
  resolve(answer: unknown): void
  reject(error: unknown): void
}

function listenTo(child: ChildProcess): Map<number, Pending> {
  const pending = new Map<number, Pending>()
  child.on('message', ({ n, answer, error }: Reply) => {
    const one = pending.get(n)
    pending.delete(n)
    if (error === undefined) one?.resolve(answer)
    else one?.reject(new Error(error))
  })
  child.on('exit', () => {
    for (const { reject } of pending.values()) reject(new Error('the process ended'))
  })
  return pending
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`a process of a drill ended with ${code}`)
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
