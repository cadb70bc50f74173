import { type Channel, channel } from 'node:diagnostics_channel'
import type { Announcer, KeyEvent } from './model/event.ts'
import { warnOnce } from './model/warn.ts'

const CHANNELS: Readonly<Record<KeyEvent['type'], Channel>> = {
  created: channel('keyward:created'),
  updated: channel('keyward:updated'),
  disabled: channel('keyward:disabled'),
  enabled: channel('keyward:enabled'),
  rotated: channel('keyward:rotated'),
  revoked: channel('keyward:revoked'),
  removed: channel('keyward:removed'),
  credited: channel('keyward:credited'),
  settled: channel('keyward:settled'),
  admitted: channel('keyward:admitted'),
  denied: channel('keyward:denied'),
  fault: channel('keyward:fault'),
}

/** Passes events on to the host's listener and to `node:diagnostics_channel` (`keyward:admitted` and so on). */
export function createEvents(onEvent: ((event: KeyEvent) => void) | undefined): Announcer {
  const asker: Announcer['asker'] = (type) => {
    const channel = CHANNELS[type]
    return () => onEvent !== undefined || channel.hasSubscribers
  }
  return {
    wants: (type) => asker(type)(),
    asker,
    tell(event) {
      CHANNELS[event.type].publish(event)
      if (onEvent === undefined) return
      try {
        // A listener may be asynchronous whatever its type says: its rejection must not end the process.
        Promise.resolve(onEvent(event) as unknown).catch(listenerFailed)
      } catch (error) {
        listenerFailed(error)
      }
    },
  }
}

function listenerFailed(error: unknown): void {
  const text = nameOf(error)
  warnOnce('KEYWARD_LISTENER', `onEvent threw (${text}); Keyward goes on without it. Later ones are not reported.`)
}

/** What is thrown may be anything, also what throws when it is looked at. */
function nameOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}` : typeof error
  } catch {
    return typeof error
  }
}
