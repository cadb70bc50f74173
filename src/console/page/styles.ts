import { css } from './css.ts'
import { CONTROLS } from './styles-controls.ts'
import { DIALOGS } from './styles-dialogs.ts'
import { LIST } from './styles-list.ts'
import { NOTICES } from './styles-notices.ts'

/**
 * The colours, each of which a page may set by its `--keyward-…` property, and how the page is laid out. It answers to
 * the width that the element is given, not to the window's.
 */
const BASE = css`
  :host {
    --accent: var(--keyward-accent, light-dark(#3157d5, #93abff));
    --on-accent: var(--keyward-on-accent, light-dark(#fff, #0d1220));
    --accent-soft: var(--keyward-accent-soft, light-dark(#eef2fe, #1d2540));
    --text: var(--keyward-text, light-dark(#171a21, #e7eaf0));
    --muted: var(--keyward-muted, light-dark(#5a6473, #9aa4b4));
    --page: var(--keyward-page, light-dark(#f6f7f9, #0e1116));
    --surface: var(--keyward-surface, light-dark(#fff, #161a21));
    --sunken: var(--keyward-sunken, light-dark(#f6f7f9, #101319));
    --border: var(--keyward-border, light-dark(#e2e5ea, #2a303b));
    --field-border: var(--keyward-field-border, light-dark(#8a93a1, #6b7585));
    --danger: var(--keyward-danger, light-dark(#b42a22, #ff938a));
    --on-danger: var(--keyward-on-danger, light-dark(#fff, #1d0a08));
    --danger-soft: var(--keyward-danger-soft, light-dark(#fdeeec, #35191a));
    --good: var(--keyward-good, light-dark(#17714a, #63d297));
    --warn: var(--keyward-warn, light-dark(#855800, #e8ba6c));
    --warn-soft: var(--keyward-warn-soft, light-dark(#fdf5e3, #2d2412));
    --radius: var(--keyward-radius, 10px);
    --mono: var(--keyward-mono, ui-monospace, Menlo, Consolas, monospace);
    display: block;
    container-type: inline-size;
    color-scheme: light dark;
    color: var(--text);
    background: var(--page);
    font: 0.9375rem / 1.5 var(--keyward-font, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif);
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  :host([hidden]) {
    display: none;
  }
  * {
    box-sizing: border-box;
  }
  .console {
    max-width: 76rem;
    margin: 0 auto;
    padding: 2.5rem 1.5rem 4rem;
    display: grid;
    gap: 1.5rem;
  }
  h1,
  h2,
  h3,
  p {
    margin: 0;
  }
  h1 {
    font-size: 1.625rem;
    line-height: 1.25;
    letter-spacing: -0.01em;
    font-weight: 650;
  }
  h2 {
    font-size: 1.0625rem;
    line-height: 1.4;
    font-weight: 620;
    letter-spacing: -0.005em;
  }
  h3 {
    font-size: 0.875rem;
    font-weight: 600;
  }
  code,
  pre,
  .mono {
    font-family: var(--mono);
    font-size: 0.8125rem;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    align-items: flex-end;
    gap: 1rem;
  }
  .head p {
    margin-top: 0.25rem;
  }
  .muted,
  .hint,
  .under,
  .note {
    color: var(--muted);
  }
  .row {
    display: flex;
    gap: 0.5rem;
    align-items: center;
  }
  .wrap {
    flex-wrap: wrap;
  }
  .stack {
    display: grid;
    gap: 0.75rem;
    align-content: start;
  }
  .panel {
    background: var(--surface);
    border: 1px solid var(--border);
    border-radius: calc(var(--radius) + 4px);
    overflow: clip;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    padding: 0;
    border: 0;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .connect {
    padding: 1.5rem;
  }
  .connect > p {
    margin: 0.125rem 0 1.25rem;
  }
  .connect-parts {
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 6fr);
    gap: 1.5rem 2rem;
  }
  .address {
    display: grid;
    grid-template-columns: 1fr auto;
    align-items: center;
    column-gap: 0.5rem;
  }
  .address-label,
  .told-label {
    grid-column: 1 / -1;
    font-size: 0.8125rem;
    font-weight: 550;
    color: var(--muted);
  }
  .address code {
    overflow-wrap: anywhere;
  }
  .browser-key {
    display: grid;
    gap: 0.375rem;
    margin-top: 0.5rem;
    padding-top: 1.125rem;
    border-top: 1px solid var(--border);
  }
  .browser-key form {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    margin-top: 0.25rem;
  }
  .browser-key input {
    flex: 1 1 12rem;
    min-width: 0;
  }
  .toast {
    position: fixed;
    inset: auto 0 1.5rem;
    display: grid;
    justify-items: center;
    pointer-events: none;
    z-index: 1;
  }
  .toast span {
    margin: 0 1rem;
    padding: 0.625rem 1rem;
    border-radius: var(--radius);
    background: light-dark(#171a21, #e7eaf0);
    color: light-dark(#fff, #12151b);
    font-size: 0.875rem;
    box-shadow: 0 6px 24px rgb(0 0 0 / 0.22);
  }
  @container (width < 52rem) {
    .connect-parts {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @container (width < 40rem) {
    .console {
      padding: 1.5rem 1rem 3rem;
    }
    .connect {
      padding: 1rem;
    }
    .head .row {
      flex: 1 1 100%;
      flex-direction: row-reverse;
      justify-content: space-between;
    }
    .browser-key input {
      flex-basis: 100%;
    }
  }
  @media (prefers-reduced-motion: no-preference) {
    dialog[open],
    .toast span {
      animation: rise 0.16s ease-out;
    }
    @keyframes rise {
      from {
        opacity: 0;
        transform: translateY(8px);
      }
    }
  }
`

export const STYLES = [BASE, CONTROLS, LIST, NOTICES, DIALOGS]
