/**
 * Texts as a server gets them: cut from bytes, so that the engine has not hashed them yet. Giving a program the same
 * string again would understate what looking it up costs several times over.
 */
export class Texts {
  readonly #bytes: Buffer
  readonly #length: number
  readonly #count: number

  /** @param texts ASCII, of one length */
  constructor(texts: readonly string[]) {
    const [first = ''] = texts
    if (texts.some(({ length }) => length !== first.length)) throw new Error('the texts differ in length')
    this.#bytes = Buffer.from(texts.join(''), 'latin1')
    this.#length = first.length
    this.#count = texts.length
  }

  at(index: number): string {
    return this.#bytes.toString('latin1', index * this.#length, (index + 1) * this.#length)
  }

  /** Texts at random, so that with many keys the next is seldom the neighbour of the last. */
  take(calls: number): readonly string[] {
    return Array.from({ length: calls }, () => this.at(Math.floor(Math.random() * this.#count)))
  }
}
