import { type ChildProcess, fork } from 'node:child_process'
import { compiled } from '../support/compiled.ts'

/** Processes that do jobs, all at once. */
export interface Crew<Job, Answer> {
  /** What each of them answered. */
  work(job: Job): Promise<readonly Answer[]>
  end(): void
}

/** Starts a worker several times, and waits until each says that it is ready. */
export async function startCrew<Job extends object, Answer>(
  worker: string,
  processes: number,
): Promise<Crew<Job, Answer>> {
  const path = await compiled(new URL(worker, import.meta.url))
  const children = Array.from({ length: processes }, () => fork(path, { execArgv: [] }))
  await Promise.all(children.map(said))
  return {
    work: (job) =>
      Promise.all(
        children.map((child) => {
          const answer = said(child)
          child.send(job)
          return answer as Promise<Answer>
        }),
      ),
    end: () => {
      for (const child of children) if (child.connected) child.disconnect()
    },
  }
}

/** The next message of a process; it rejects when the process ends before. */
function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const died = (code: unknown) => reject(new Error(`the process ended with ${code}`))
    child.once('exit', died)
    child.once('message', (message) => {
      child.off('exit', died)
      resolve(message)
    })
  })
}
