import { render } from 'lit/html.js'

/**
 * An element that draws itself anew after what it is made of has changed. As much as the page needs of lit's own base,
 * which weighs four times that: what people wait for is this script.
 */
export abstract class Drawn extends HTMLElement {
  /** The properties by which it is drawn. */
  static readonly watched: readonly string[] = []

  /** Resolves when what was changed until now is drawn. */
  updateComplete: Promise<void> = Promise.resolve()
  protected renderRoot: HTMLElement | ShadowRoot | undefined
  readonly #values = new Map<string, unknown>()
  /** What was there when it was drawn last. */
  #changed = new Map<string, unknown>()
  #isPending = false
  #isDrawn = false

  constructor() {
    super()
    for (const name of new.target.watched) {
      Object.defineProperty(this, name, { get: () => this.#values.get(name), set: (value) => this.#set(name, value) })
    }
  }

  connectedCallback(): void {
    this.renderRoot ??= this.createRenderRoot()
    this.requestUpdate()
  }

  requestUpdate(): void {
    if (this.#isPending || this.renderRoot === undefined) return
    this.#isPending = true
    this.updateComplete = Promise.resolve().then(() => this.#update(this.renderRoot))
  }

  protected abstract createRenderRoot(): HTMLElement | ShadowRoot
  protected abstract render(): unknown
  /** What it sets is drawn at once. */
  protected willUpdate(_changed: ReadonlyMap<string, unknown>): void {}
  protected updated(_isFirst: boolean): void {}

  #set(name: string, value: unknown): void {
    const before = this.#values.get(name)
    if (before === value) return
    this.#values.set(name, value)
    if (!this.#changed.has(name)) this.#changed.set(name, before)
    this.requestUpdate()
  }

  #update(root: HTMLElement | ShadowRoot | undefined): void {
    if (root === undefined) return
    try {
      this.willUpdate(this.#changed)
      render(this.render(), root as HTMLElement, { host: this })
    } finally {
      this.#changed = new Map()
      this.#isPending = false
    }
    const isFirst = !this.#isDrawn
    this.#isDrawn = true
    this.updated(isFirst)
  }
}
