import { css } from './css.ts'

/** The table of keys, which becomes cards where there is little room. */
export const LIST = css`
  .filters {
    display: flex;
    gap: 0.5rem;
    padding: 0.75rem;
    border-bottom: 1px solid var(--border);
  }
  .filters select {
    width: auto;
  }
  .search {
    position: relative;
    flex: 0 1 16rem;
  }
  .search svg {
    position: absolute;
    inset: 0.5625rem auto auto 0.625rem;
    width: 1.125rem;
    height: 1.125rem;
    color: var(--muted);
    pointer-events: none;
  }
  .search input {
    padding-inline-start: 2rem;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  thead th {
    padding: 0.625rem;
    font-size: 0.75rem;
    font-weight: 550;
    text-align: start;
    color: var(--muted);
    white-space: nowrap;
  }
  thead th:last-child {
    text-align: end;
  }
  tbody tr {
    border-top: 1px solid var(--border);
  }
  tbody tr:hover {
    background: color-mix(in srgb, var(--accent) 3%, transparent);
  }
  tbody th,
  tbody td {
    padding: 0.75rem 0.625rem;
    text-align: start;
    vertical-align: top;
    font-weight: inherit;
  }
  tr > :first-child {
    padding-inline-start: 1.25rem;
  }
  tr > :last-child {
    padding-inline-end: 0.875rem;
  }
  .name {
    display: block;
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .unnamed {
    font-weight: 450;
    font-style: italic;
    color: var(--muted);
  }
  .revoked .name,
  .expired .name {
    color: var(--muted);
  }
  .under {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.375rem;
    margin-top: 0.125rem;
    font-size: 0.8125rem;
  }
  .under code {
    white-space: nowrap;
  }
  /* A dot before each, of which those at the beginning of a line are cut off. */
  .dotted {
    gap: 0.125rem 0;
    margin-inline-start: -0.875em;
    clip-path: inset(0 0 0 0.875em);
  }
  .dotted span {
    white-space: nowrap;
  }
  .dotted span::before {
    content: '·';
    display: inline-block;
    width: 0.875em;
    text-align: center;
  }
  .scopes {
    max-width: 19rem;
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem;
  }
  .tag {
    display: inline-block;
    padding: 0 0.375rem;
    border: 1px solid var(--border);
    border-radius: 5px;
    background: var(--sunken);
    color: var(--text);
    font-size: 0.75rem;
    line-height: 1.375rem;
    max-width: 15rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .tag.more {
    position: relative;
    color: var(--muted);
  }
  time,
  td > .muted {
    white-space: nowrap;
  }
  .status {
    display: inline-flex;
    align-items: center;
    gap: 0.4375rem;
    white-space: nowrap;
    vertical-align: top;
  }
  td.columnStatus {
    min-width: 8rem;
  }
  .status::before {
    content: '';
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: var(--good);
  }
  .status.disabled::before {
    background: none;
    box-shadow: inset 0 0 0 2px var(--warn);
  }
  .status.expired::before {
    background: none;
    box-shadow: inset 0 0 0 2px var(--muted);
  }
  .status.revoked::before {
    background: var(--danger);
    border-radius: 1px;
  }
  td .under {
    max-width: 14rem;
  }
  .deeds {
    text-align: end !important;
    white-space: nowrap;
    padding-block: 0.5rem !important;
  }
  @container (width < 60rem) {
    thead {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    table,
    tbody {
      display: block;
    }
    tbody tr {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
      gap: 0.625rem 1.25rem;
      padding: 1rem 1.25rem 0.75rem;
    }
    tbody tr > * {
      padding: 0 !important;
    }
    tbody th,
    tbody td.columnScopes,
    tbody td.deeds {
      grid-column: 1 / -1;
    }
    tbody td[data-label]::before {
      content: attr(data-label);
      display: block;
      font-size: 0.75rem;
      font-weight: 550;
      color: var(--muted);
    }
    tbody td.deeds {
      display: flex;
      flex-wrap: wrap;
      gap: 0.5rem;
      margin-top: 0.25rem;
    }
    /* Fingers point at nothing: what a button does is written on it. */
    .deeds .icon {
      display: inline-flex;
      align-items: center;
      gap: 0.375rem;
      width: auto;
      height: 2.25rem;
      padding: 0 0.75rem 0 0.625rem;
      border: 1px solid var(--border);
      color: var(--text);
      font-size: 0.8125rem;
    }
    .deeds .icon::after {
      content: attr(aria-label);
    }
  }
  @container (width < 40rem) {
    .filters {
      flex-wrap: wrap;
    }
    .search,
    .filters select {
      flex: 1 1 100%;
    }
  }
`
