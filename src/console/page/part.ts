import { LitElement } from 'lit'
import type { Say } from './texts.ts'

/** A piece of the page. It has no shadow of its own: the console's style holds for it, and labels find their fields. */
export abstract class Part extends LitElement {
  declare say: Say

  protected override createRenderRoot(): this {
    return this
  }
}

/** Declares an element once, also where the script is loaded twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (customElements.get(name) === undefined) customElements.define(name, element)
}
