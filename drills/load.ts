import { Agent, request } from 'node:http'
import type { Worker } from './fleet.ts'
import { now } from './moment.ts'

/** What one request was answered. */
export interface Answer {
  readonly status: number
  /** When the service began to verify, and how long it took, ms. */
  readonly begun: number
  readonly took: number
}

/** How long a request may go without an answer, ms: far beyond anything that is promised. */
const HUNG = 20_000

/** Keep-alive connections to one process. */
export interface Client {
  /** Rejects when there is no answer. */
  ask(key: string): Promise<Answer>
  end(): void
}

export function clientOf({ port }: Pick<Worker, 'port'>, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    ask: (key) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${key}` }
        const sent = request({ port, host: '127.0.0.1', agent, headers }, (response) => {
          const { 'x-begun': begun, 'x-took': took } = response.headers
          response.resume()
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, begun: Number(begun), took: Number(took) }),
          )
        })
        sent.setTimeout(HUNG, () => sent.destroy(new Error(`no answer within ${HUNG} ms`)))
        sent.once('error', reject)
        sent.end()
      }),
    end: () => agent.destroy(),
  }
}

/** Asks every process so often, over so many connections each, all at once. */
export async function storm(
  workers: readonly Worker[],
  key: string,
  { requests, connections }: { readonly requests: number; readonly connections: number },
): Promise<readonly Answer[]> {
  const clients = workers.map((worker) => clientOf(worker, connections))
  try {
    const asked = clients.flatMap(({ ask }) => Array.from({ length: requests }, () => ask(key)))
    return await Promise.all(asked)
  } finally {
    for (const { end } of clients) end()
  }
}

/** How many answers of each status there are. */
export function tally(answers: readonly Pick<Answer, 'status'>[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Asks again and again until it is told to stop; notes what it was answered, and when it was not. */
export interface Prober {
  readonly answers: readonly Answer[]
  readonly failures: readonly unknown[]
  stop(): Promise<void>
}

/** @param key Presented each time, or asked each time for one; where it has none, nothing is presented. */
export function probe({ ask }: Client, key: string | (() => string | undefined), every: number): Prober {
  const answers: Answer[] = []
  const failures: unknown[] = []
  let isOver = false
  const work = keepAsking()
  return {
    answers,
    failures,
    stop() {
      isOver = true
      return work
    },
  }

  async function keepAsking(): Promise<void> {
    while (!isOver) {
      const due = now() + every
      const text = typeof key === 'string' ? key : key()
      try {
        if (text !== undefined) answers.push(await ask(text))
      } catch (error) {
        failures.push(error)
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, due - now())))
    }
  }
}
