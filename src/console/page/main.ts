import { Confirm } from './confirm.ts'
import { Connect } from './connect.ts'
import { KeyForm } from './key-form.ts'
import { KeywardConsole } from './keyward-console.ts'
import { SnippetTabs } from './snippet-tabs.ts'
import { ToldKey } from './told-key.ts'

/** The elements, the outermost last: when it wakes, the others are there. */
const ELEMENTS: readonly (readonly [string, CustomElementConstructor])[] = [
  ['keyward-snippets', SnippetTabs],
  ['keyward-connect', Connect],
  ['keyward-key-form', KeyForm],
  ['keyward-told-key', ToldKey],
  ['keyward-confirm', Confirm],
  ['keyward-console', KeywardConsole],
]

// The script may be in a page twice.
for (const [name, element] of ELEMENTS) {
  if (customElements.get(name) === undefined) customElements.define(name, element)
}
