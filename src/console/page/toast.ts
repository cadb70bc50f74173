/** A short text that says what has just happened, for a while. */
interface Toast {
  text(): string
  tell(text: string): void
  clear(): void
}

const FOR_MS = 5000

/** @param changed called when the text has */
export function createToast(changed: () => void): Toast {
  let text = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  function set(next: string): void {
    clearTimeout(timer)
    text = next
    changed()
  }
  return {
    text: () => text,
    tell(next) {
      set(next)
      timer = setTimeout(() => set(''), FOR_MS)
    },
    clear: () => set(''),
  }
}
