import { css } from './css.ts'

/** Dialogs and what is in them. */
export const DIALOGS = css`
  dialog {
    width: min(30rem, calc(100vw - 2rem));
    max-height: min(46rem, calc(100dvh - 2rem));
    padding: 0;
    border: 1px solid var(--border);
    border-radius: calc(var(--radius) + 6px);
    background: var(--surface);
    color: var(--text);
    box-shadow: 0 24px 64px rgb(0 0 0 / 0.28);
    overflow: hidden;
  }
  dialog.wide {
    width: min(42rem, calc(100vw - 2rem));
  }
  dialog[open] {
    display: flex;
    flex-direction: column;
  }
  dialog > form {
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  dialog::backdrop {
    background: rgb(12 15 22 / 0.45);
  }
  .dialog-head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 1rem;
    padding: 1rem 1rem 0.75rem 1.5rem;
  }
  .dialog-head h2 {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .dialog-body {
    display: grid;
    gap: 1.125rem;
    padding: 0.25rem 1.5rem 1.5rem;
    overflow-y: auto;
    min-height: 0;
  }
  .dialog-body > [role='alert']:not(:has(*)),
  .dialog-body > [role='status']:empty {
    position: absolute;
  }
  .dialog-foot {
    display: flex;
    justify-content: flex-end;
    gap: 0.5rem;
    padding: 0.875rem 1.5rem;
    border-top: 1px solid var(--border);
    background: var(--sunken);
  }
  .field {
    display: block;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  .field > label,
  legend {
    display: inline-block;
    margin-bottom: 0.3125rem;
    padding: 0;
    font-size: 0.875rem;
    font-weight: 570;
  }
  .note {
    font-size: 0.8125rem;
    font-weight: 400;
  }
  .hint,
  .flaw {
    margin-top: 0.3125rem;
    font-size: 0.8125rem;
    line-height: 1.45;
  }
  .flaw,
  .problem {
    display: flex;
    gap: 0.375rem;
    color: var(--danger);
  }
  .flaw svg,
  .problem svg {
    width: 1.0625rem;
    height: 1.0625rem;
    margin-top: 0.0625rem;
  }
  .problem {
    padding: 0.625rem 0.75rem;
    border-radius: var(--radius);
    background: var(--danger-soft);
    font-size: 0.875rem;
  }
  .good {
    color: var(--good);
  }
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr));
    gap: 0.5rem;
  }
  .grid {
    border: 1px solid var(--border);
    border-radius: var(--radius);
  }
  .grid-row {
    display: grid;
    grid-template-columns: minmax(9.5rem, 0.9fr) minmax(0, 2.8fr);
    gap: 0.25rem 1rem;
    align-items: center;
    padding: 0.4375rem 0.875rem;
  }
  .grid-row + .grid-row {
    border-top: 1px solid var(--border);
  }
  .grid-name {
    font-family: var(--mono);
    font-size: 0.8125rem;
    overflow-wrap: anywhere;
  }
  .grid-boxes {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(4.75rem, 1fr));
    gap: 0 0.5rem;
  }
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 0 1rem;
  }
  .box {
    display: inline-flex;
    align-items: center;
    gap: 0.4375rem;
    min-height: 1.75rem;
    font-size: 0.875rem;
    cursor: pointer;
  }
  .box:has(:disabled) {
    color: var(--muted);
    cursor: default;
  }
  .windows {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(5.5rem, 1fr));
    gap: 0.5rem;
  }
  .window span {
    display: block;
    margin-bottom: 0.125rem;
    font-size: 0.8125rem;
    color: var(--muted);
  }
  .window input {
    font-variant-numeric: tabular-nums;
  }
  .stack > .aside:not(:has(*)) {
    position: absolute;
  }
  .dialog-body .stack {
    gap: 0.25rem;
  }
  .subject {
    padding: 0.5rem 0.75rem;
    border-radius: var(--radius);
    background: var(--sunken);
    overflow-wrap: anywhere;
  }
  .once {
    display: flex;
    gap: 0.625rem;
    padding: 0.75rem 0.875rem;
    border-radius: var(--radius);
    background: var(--warn-soft);
    color: var(--text);
    font-size: 0.875rem;
  }
  .once svg {
    color: var(--warn);
  }
  .told {
    display: grid;
    gap: 0.25rem;
  }
  .told-box {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    padding: 0.5rem 0.5rem 0.5rem 0.875rem;
    border: 1px solid var(--field-border);
    border-radius: var(--radius);
    background: var(--sunken);
  }
  .told-box code {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  @media (width < 34rem) {
    dialog,
    dialog.wide {
      width: 100vw;
      max-width: 100vw;
      max-height: 100dvh;
      margin: auto 0 0;
      border-radius: calc(var(--radius) + 6px) calc(var(--radius) + 6px) 0 0;
      border-width: 1px 0 0;
    }
    .grid-row {
      grid-template-columns: minmax(0, 1fr);
    }
    .told-box {
      flex-direction: column;
      align-items: stretch;
      padding: 0.75rem;
    }
    .dialog-foot .button {
      flex: 1;
    }
  }
`
