import { svg, type TemplateResult } from 'lit/html.js'

/** Drawn for this page on a grid of 20, in lines of 1.5. */
const PATHS = {
  key: 'M9.1 10.9a3.7 3.7 0 1 1-5.2 5.2 3.7 3.7 0 0 1 5.2-5.2Zm0 0L16.5 3.5M13.6 6.4l2.6 2.6',
  plus: 'M10 4v12M4 10h12',
  close: 'm5 5 10 10M15 5 5 15',
  check: 'm4 10.5 4 4 8-9',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  plug: 'M7 3v4m6-4v4M5 7h10v3a5 5 0 0 1-10 0V7Zm5 8v3',
  edit: 'm12.5 4.5 3 3L7 16l-3.5.5L4 13zM11 6l3 3',
  rotate: 'M16 6.5A7 7 0 0 0 4 8m0 5.5A7 7 0 0 0 16 12M16 3v3.5h-3.5M4 17v-3.5h3.5',
  pause: 'M7 4.5v11M13 4.5v11',
  play: 'M6.5 4.5v11l9-5.5z',
  ban: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14ZM5.2 5.2l9.6 9.6',
  trash: 'M4 6h12M8 6V3.5h4V6M5.5 6l.7 10.5h7.6L14.5 6M8.5 9v4.5m3-4.5v4.5',
  alert: 'M10 3.5 17.5 16h-15zM10 8.5v3.5m0 2.2v.1',
  left: 'm12 4.5-5.5 5.5 5.5 5.5',
  right: 'm8 4.5 5.5 5.5L8 15.5',
  search: 'M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4Zm3.7 8.7L17 17',
} as const

export type IconName = keyof typeof PATHS

/** Beside a text or in a button that has a name: it is not read out. */
export function icon(name: IconName): TemplateResult {
  return svg`<svg viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`
}
