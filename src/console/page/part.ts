import { LitElement } from 'lit'
import type { Say } from './texts.ts'

/** A piece of the page. It has no shadow of its own: the console's style holds for it, and labels find their fields. */
export abstract class Part extends LitElement {
  declare say: Say

  protected override createRenderRoot(): this {
    return this
  }
}
