import type { Credential } from './snippets.ts'

/** The key that somebody chose to keep in this browser. A browser that refuses storage keeps none. */
export interface BrowserKey {
  read(): Credential | undefined
  save(credential: Credential): boolean
  clear(): void
}

const KEY_TEXT = /^[A-Za-z0-9_-]{8,512}$/

/** @param place where the console is, since several may be on one origin */
export function browserKeyAt(place: string): BrowserKey {
  const item = `keyward-console:${place}`
  return {
    read() {
      try {
        const { key, secret } = JSON.parse(localStorage.getItem(item) ?? '{}')
        return isKey(key) ? { key, secret: isKey(secret) ? secret : undefined } : undefined
      } catch {
        return undefined
      }
    },
    save(credential) {
      try {
        localStorage.setItem(item, JSON.stringify(credential))
        return true
      } catch {
        return false
      }
    },
    clear() {
      try {
        localStorage.removeItem(item)
      } catch {}
    },
  }
}

export function isKey(text: unknown): text is string {
  return typeof text === 'string' && KEY_TEXT.test(text)
}

/** As a record's `display`: what may be shown of a key. Its last 38 characters are secret and checksum. */
export function displayOf(key: string, pair: boolean): string {
  return pair ? key : `${key.slice(0, -38)}…`
}
