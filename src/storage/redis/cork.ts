import process from 'node:process'
import type { Connection, Stream } from './client.ts'

/**
 * Sends what is asked in one go, before the program waits for anything, in one write: a write for each command costs this process, and
 * the server, more than the command. To be called before each command that need not go alone.
 */
export function turnsOf(connection: Connection): () => void {
  let held: readonly Stream[] | undefined
  return () => {
    if (held !== undefined) return
    held = streamsOf(connection)
    for (const stream of held) stream.cork?.()
    process.nextTick(go)
  }

  function go(): void {
    const streams = held ?? []
    held = undefined
    for (const stream of streams) stream.uncork?.()
  }
}

function streamsOf(connection: Connection): readonly Stream[] {
  const connections = connection.nodes?.('master') ?? [connection]
  return connections.flatMap(({ stream }) => stream ?? [])
}
