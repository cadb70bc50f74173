import type { Open, Told } from './dialogs.ts'
import type { Drawn } from './drawn.ts'

/** A dialog that is open, or was: what it asked for may be answered later. */
export interface Scene {
  readonly open: Open
  /** Each has another, counted up. */
  readonly turn: number
}

/** Which dialog is open. What comes late acts on nothing but the dialog that asked for it. */
interface Stage {
  scene(): Scene | undefined
  /** That of the dialog which was opened last. */
  turn(): number
  show(open: Open): void
  /** Shows a newer reading in the dialog that asked for it, as long as it is open. */
  renew(asker: Scene, open: Open): void
  /** Shows the text of a key in place of the dialog that asked for it, else when no other is open: none is lost. */
  tell(asker: Scene, told: Told): void
  /** Focus goes back to where it came from, or where that is `gone`, to the beginning. */
  close(asker: Scene, isGone: boolean): Promise<void>
  /** Nothing is open any more, and nothing waits. */
  clear(): void
}

export function createStage(host: Drawn): Stage {
  let scene: Scene | undefined
  let turn = 0
  let waiting: readonly Told[] = []
  let opener: Element | null | undefined

  function set(next: Scene | undefined): void {
    scene = next
    host.requestUpdate()
  }

  function show(open: Open): void {
    opener ??= host.shadowRoot?.activeElement
    set({ open, turn: ++turn })
  }

  const isOpen = (asker: Scene) => scene?.turn === asker.turn

  async function close(asker: Scene, isGone: boolean): Promise<void> {
    if (!isOpen(asker)) return
    const [next, ...rest] = waiting
    waiting = rest
    if (next !== undefined) return show(next)
    const origin = opener
    opener = undefined
    set(undefined)
    await host.updateComplete
    const start = host.shadowRoot?.querySelector('.head .primary')
    const goal = isGone || origin?.isConnected !== true ? start : origin
    if (goal instanceof HTMLElement) goal.focus()
  }

  return {
    scene: () => scene,
    turn: () => turn,
    show,
    renew: (asker, open) => isOpen(asker) && set({ open, turn: asker.turn }),
    tell(asker, told) {
      if (scene === undefined || isOpen(asker)) show(told)
      else waiting = [...waiting, told]
    },
    close,
    clear() {
      waiting = []
      opener = undefined
      set(undefined)
    },
  }
}
