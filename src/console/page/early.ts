import { css } from './css.ts'

/** The page around the element, where it is our own. A style sheet of the host has the last word. */
const PAGE = css`
  :where(:root) {
    color-scheme: light dark;
  }
  :where(body) {
    margin: 0;
    background: var(--keyward-page, light-dark(#f6f7f9, #0e1116));
  }
`

/**
 * The answers that the document brought along, of the moment in which it was made: they are taken once. A document that
 * brings them has nothing but the element in it.
 */
export function takeEarly(element: Element): Map<string, unknown> {
  const block = element.querySelector(':scope > script[type="application/json"]')
  if (block === null) return new Map()
  block.remove()
  document.adoptedStyleSheets.push(PAGE)
  return new Map(Object.entries(JSON.parse(block.textContent ?? '') as object))
}

/** About as many rows as a window has room for. */
export const FIRST_ROWS = 12

/** When what was drawn last can be seen. */
export function afterFrame(act: () => void): void {
  requestAnimationFrame(() => setTimeout(act))
}
