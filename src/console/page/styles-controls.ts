import { css } from './css.ts'

/** Buttons, fields and tabs. */
export const CONTROLS = css`
  button,
  input,
  textarea,
  select {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  svg {
    flex: none;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.375rem;
    min-height: 2.25rem;
    padding: 0.25rem 0.875rem;
    border: 1px solid var(--field-border);
    border-color: color-mix(in srgb, var(--field-border) 55%, var(--border));
    border-radius: calc(var(--radius) - 2px);
    background: var(--surface);
    font-size: 0.875rem;
    font-weight: 550;
    line-height: 1.25;
    white-space: nowrap;
  }
  .button svg {
    width: 1.0625rem;
    height: 1.0625rem;
    margin-inline: -0.1875rem 0;
  }
  .button:hover {
    background: var(--sunken);
  }
  .button.primary {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  .button.danger {
    border-color: transparent;
    background: var(--danger);
    color: var(--on-danger);
  }
  .button.primary:hover,
  .button.danger:hover {
    filter: brightness(1.08);
  }
  .button.quiet {
    border-color: transparent;
    background: none;
    color: var(--muted);
  }
  .button.quiet:hover {
    color: var(--text);
    background: color-mix(in srgb, var(--text) 6%, transparent);
  }
  .button:disabled {
    opacity: 0.5;
    cursor: default;
  }
  .icon {
    display: inline-grid;
    place-items: center;
    width: 2rem;
    height: 2rem;
    padding: 0;
    border: 0;
    border-radius: calc(var(--radius) - 3px);
    background: none;
    color: var(--muted);
  }
  .icon svg {
    width: 1.125rem;
    height: 1.125rem;
  }
  .icon:hover {
    background: color-mix(in srgb, var(--text) 7%, transparent);
    color: var(--text);
  }
  .icon.danger:hover {
    background: var(--danger-soft);
    color: var(--danger);
  }
  .link {
    padding: 0;
    border: 0;
    background: none;
    color: var(--accent);
    text-decoration: underline;
    text-underline-offset: 0.15em;
  }
  input:not([type='checkbox'], [type='radio']),
  textarea,
  select {
    min-height: 2.25rem;
    width: 100%;
    padding: 0.375rem 0.625rem;
    border: 1px solid var(--field-border);
    border-radius: calc(var(--radius) - 3px);
    background: var(--surface);
    font-size: 0.875rem;
    scroll-margin-block: 2.5rem 4rem; /* its label, and what is wrong with it, come with it */
  }
  input:not([type='checkbox'], [type='radio']):focus-visible,
  textarea:focus-visible,
  select:focus-visible {
    outline-offset: -1px;
  }
  input.mono,
  textarea.mono {
    font-size: 0.8125rem;
  }
  textarea {
    display: block;
    resize: vertical;
    line-height: 1.5;
  }
  ::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  [aria-invalid='true'] {
    border-color: var(--danger) !important;
  }
  input[type='checkbox'],
  input[type='radio'] {
    width: 1rem;
    height: 1rem;
    margin: 0;
    accent-color: var(--accent);
  }
  keyward-snippets {
    display: block;
    min-width: 0;
  }
  .tabs {
    display: grid;
    grid-template: auto 1fr / minmax(0, 1fr);
    border: 1px solid var(--border);
    border-radius: var(--radius);
    overflow: clip;
    min-width: 0;
  }
  .tabs-head {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    padding: 0 0.375rem 0 0.25rem;
    border-bottom: 1px solid var(--border);
  }
  .tabs-head .aside {
    margin-inline-start: auto;
  }
  [role='tablist'] {
    display: flex;
    overflow-x: auto;
    scrollbar-width: none;
  }
  [role='tab'] {
    padding: 0.625rem 0.625rem 0.5rem;
    border: 0;
    border-bottom: 2px solid transparent;
    background: none;
    color: var(--muted);
    font-size: 0.8125rem;
    font-weight: 550;
    white-space: nowrap;
  }
  [role='tab']:hover {
    color: var(--text);
  }
  [role='tab'][aria-selected='true'] {
    border-color: var(--accent);
    color: var(--text);
  }
  [role='tab']:focus-visible,
  .list:focus-visible,
  [role='tabpanel']:focus-visible {
    outline-offset: -2px;
    border-radius: calc(var(--radius) - 3px);
  }
  [role='tabpanel'] {
    background: var(--sunken);
    overflow-x: auto;
  }
  pre {
    margin: 0;
    padding: 0.875rem 1rem;
    line-height: 1.6;
    tab-size: 2;
  }
  pre mark {
    background: var(--accent-soft);
    color: var(--accent);
    border-radius: 3px;
  }
  .aside {
    font-size: 0.8125rem;
    color: var(--muted);
  }
`
