import { css } from './css.ts'

/** What stands under the list, and in place of it. */
export const NOTICES = css`
  .pager {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 1rem;
    padding: 0.75rem;
    border-top: 1px solid var(--border);
    font-size: 0.875rem;
    color: var(--muted);
    font-variant-numeric: tabular-nums;
  }
  .pager .button {
    color: var(--text);
  }
  .notice {
    display: grid;
    justify-items: center;
    gap: 0.375rem;
    padding: 3.5rem 1.5rem 4rem;
    text-align: center;
  }
  .notice .picture {
    display: grid;
    place-items: center;
    width: 3rem;
    height: 3rem;
    margin-bottom: 0.625rem;
    border-radius: 50%;
    background: var(--accent-soft);
    color: var(--accent);
  }
  .notice .picture.alert {
    background: var(--warn-soft);
    color: var(--warn);
  }
  .notice .button {
    margin-top: 0.875rem;
  }
  .skeleton > div {
    display: grid;
    grid-template-columns: 2fr 3fr 1fr;
    gap: 2rem;
    padding: 1.25rem;
  }
  .skeleton > div + div {
    border-top: 1px solid var(--border);
  }
  .skeleton i {
    height: 0.875rem;
    border-radius: 4px;
    background: color-mix(in srgb, var(--text) 8%, transparent);
  }
`
