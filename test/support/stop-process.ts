import { existsSync, readdirSync, readFileSync } from 'node:fs'

const LONGEST = 2_000
const clock = new Int32Array(new SharedArrayBuffer(4))

/**
 * Stops a process, and comes back when all of its threads stand still: on a busy machine some of them go on for a while
 * after the signal, and answer.
 */
export function stopProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP')
  const tasks = `/proc/${pid}/task`
  const until = Date.now() + LONGEST
  while (existsSync(tasks) && !readdirSync(tasks).every((id) => isStopped(`${tasks}/${id}/stat`))) {
    if (Date.now() > until) throw new Error(`process ${pid} does not stop`)
    Atomics.wait(clock, 0, 0, 1)
  }
}

/** The state follows the name of the program, which is in parentheses and may have any in it: proc(5). */
function isStopped(path: string): boolean {
  try {
    return /\) [TtZX] [^)]*$/.test(readFileSync(path, 'utf8'))
  } catch {
    return true // the thread has ended
  }
}
