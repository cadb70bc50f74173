/**
 * What a button does that may be gone, or not be of use any more, when it is done: then the focus goes on to `goal`, or
 * where there is none, to the list. Whoever has gone elsewhere meanwhile stays there.
 */
export function keepingFocus(work: () => Promise<unknown>, goal = '.list') {
  return async ({ currentTarget }: Event): Promise<void> => {
    if (!(currentTarget instanceof HTMLButtonElement)) return
    const root = currentTarget.getRootNode() as ShadowRoot
    await work()
    // What the work has changed is drawn by then.
    setTimeout(() => {
      const { activeElement } = root
      if (activeElement !== null && !activeElement.matches(':disabled')) return
      const next = root.querySelector<HTMLElement>(goal) ?? root.querySelector<HTMLElement>('.list')
      next?.focus()
    })
  }
}
