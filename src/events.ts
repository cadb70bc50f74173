import { channel } from 'node:diagnostics_channel'
import type { Announcer, KeyEvent } from './model/event.ts'
import { warnOnce } from './model/warn.ts'

const TYPES = [
  'created',
  'updated',
  'disabled',
  'enabled',
  'rotated',
  'revoked',
  'removed',
  'credited',
  'settled',
  'admitted',
  'denied',
  'fault',
] as const

/** Passes events on to the host's listener and to `node:diagnostics_channel` (`keyward:admitted` and so on). */
export function createEvents(onEvent: ((event: KeyEvent) => void) | undefined): Announcer {
  const channels = new Map(TYPES.map((type) => [type, channel(`keyward:${type}`)]))

  return {
    wants: (type) => onEvent !== undefined || channels.get(type)?.hasSubscribers === true,
    tell(event) {
      channels.get(event.type)?.publish(event)
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
  const text = error instanceof Error ? error.name : typeof error
  warnOnce('KEYWARD_LISTENER', `onEvent threw (${text}); Keyward goes on without it. Later ones are not reported.`)
}
