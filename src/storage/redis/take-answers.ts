import { Buffer } from 'node:buffer'
import { KeywardError } from '../../model/errors.ts'
import { redact } from '../../model/redact.ts'
import type { MeterReading, SpendWindow, Taken } from '../../model/store.ts'
import { toKey } from './records.ts'

const ADMITTED = 1
const STALE = 2
const FAILED = 3

/**
 * What TAKE, and what is like it, answered for one key after the other. It answers in bytes: to read a list of numbers
 * costs a driver more than a microsecond a take.
 */
export class TakeAnswers {
  readonly #bytes: Buffer
  readonly #others: readonly unknown[]
  /** The server's. */
  readonly #time: number
  #at = 8
  #other = 1

  /** @param reply whatever a server gave */
  constructor(reply: unknown) {
    this.#others = Array.isArray(reply) ? reply : []
    const [bytes] = this.#others
    this.#bytes = Buffer.isBuffer(bytes) && bytes.length >= 8 ? bytes : Buffer.alloc(8)
    this.#time = this.#bytes.readDoubleLE(0)
  }

  /**
   * That of the next key.
   * @throws KeywardError `STORE` where its take failed, or is not in the reply
   */
  next(id: string, windows: readonly SpendWindow[]): Taken {
    this.#expect(1)
    const outcome = this.#bytes.readUInt8(this.#at++)
    if (outcome === STALE) return { stale: toKey(id, this.#nextOther()) }
    if (outcome === FAILED) throw new KeywardError('STORE', `Redis: ${redact(String(this.#nextOther()))}`)
    const at = this.#time
    const readings = new Array<MeterReading>(windows.length)
    for (let i = 0; i < windows.length; i++) {
      const { name, limit } = windows[i] as SpendWindow
      const remaining = Math.max(0, limit - this.#nextNumber())
      readings[i] = { name, limit, remaining, resetsAt: this.#nextNumber() }
    }
    if (outcome === ADMITTED) return { ok: true, readings, at }
    const retryAt = this.#nextNumber()
    return retryAt < 0 ? { ok: false, readings, at } : { ok: false, readings, at, retryAt }
  }

  /** That of the only key, and what is free of its balance. */
  paid(id: string, windows: readonly SpendWindow[]): Taken {
    const taken = this.next(id, windows)
    return taken.ok === undefined ? taken : { ...taken, balance: Number(this.#nextOther()) }
  }

  #nextNumber(): number {
    this.#expect(8)
    const number = this.#bytes.readDoubleLE(this.#at)
    this.#at += 8
    return number
  }

  #expect(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw new KeywardError('STORE', 'Redis: the reply ends too soon')
  }

  #nextOther(): unknown {
    return this.#others[this.#other++]
  }
}
