import { Drawn } from './drawn.ts'
import type { Say } from './texts.ts'

/** A piece of the page. It has no shadow of its own: the console's style holds for it, and labels find their fields. */
export abstract class Part extends Drawn {
  declare say: Say

  protected override createRenderRoot(): this {
    return this
  }
}
