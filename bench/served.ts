import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { FOLDER } from './program.ts'

/** A server in a process of its own, which is asked from this one. */
export interface Served {
  readonly port: number
  /** The values of `Authorization` that it is to be asked with. */
  readonly sent: readonly string[]
  /** What it answers to a message. */
  tell<T>(): Promise<T>
  stop(): Promise<void>
}

/** @param program compiled before, as `compile` says */
export async function serve(program: string, args: readonly string[]): Promise<Served> {
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = fork(`${FOLDER}${program}.js`, args, { env, execArgv: ['--no-warnings'] })
  const { port, sent } = await answerOf<Pick<Served, 'port' | 'sent'>>(child)
  return {
    port,
    sent,
    tell() {
      child.send('tell')
      return answerOf(child)
    },
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const answered = new AbortController()
  const { signal } = answered
  try {
    const [answer] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
    ])
    return answer as T
  } finally {
    answered.abort()
  }
}
