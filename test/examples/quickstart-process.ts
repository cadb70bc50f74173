import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Quickstart {
  /** Everything that it has printed so far. */
  output(): string
  key: string
  /** The two base URLs. */
  openai: string
  anthropic: string
  /** The command lines, as printed. */
  curls: readonly string[]
  /** What a terminal does at Ctrl-C: every process of the group hears of it. */
  ctrlC(): Promise<void>
  /** Resolves once it has printed such a text. */
  printed(text: RegExp): Promise<void>
}

/** Starts `npm run quickstart` on a free port, as a user does, and reads what it prints. */
export async function startQuickstart(folder: string): Promise<Quickstart> {
  const env = { ...process.env, PORT: '0', DATA_DIR: folder }
  const child = spawn('npm', ['run', 'quickstart'], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let over = false
  const ended = once(child, 'close').then(() => {
    over = true
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))

  async function printed(text: RegExp): Promise<void> {
    while (!text.test(output)) {
      const more = await Promise.race([once(child.stdout, 'data'), ended])
      if (more === undefined && !text.test(output)) throw new Error(`it ended without printing ${text}:\n${output}`)
    }
  }

  const find = (text: RegExp) => text.exec(output)?.[1] ?? ''
  await printed(/Ctrl-C stops/)
  return {
    output: () => output,
    key: find(/fresh key.*\s(\S+)$/m),
    openai: find(/OpenAI SDK base URL:\s+(\S+)$/m),
    anthropic: find(/Anthropic SDK base URL:\s+(\S+)$/m),
    curls: output.match(/^curl .*$/gm) ?? [],
    printed,
    async ctrlC() {
      if (child.pid !== undefined && !over) process.kill(-child.pid, 'SIGINT')
      await ended
    },
  }
}
