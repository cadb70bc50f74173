import { html, nothing, type TemplateResult } from 'lit/html.js'
import type { ScopeGroup } from '../settings.ts'
import type { Say } from './texts.ts'

/**
 * A row for each resource, a box for each of its actions, and one for all of them; and what the key had besides.
 * @param held what the key had when the form was opened
 */
export function scopeGrid(
  groups: readonly ScopeGroup[],
  held: Iterable<string>,
  chosen: ReadonlySet<string>,
  say: Say,
  choose: (scopes: ReadonlySet<string>) => void,
): TemplateResult {
  const set = (scope: string, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(scope)
    else next.delete(scope)
    choose(next)
  }
  const others = [...held].filter((scope) => !groups.some((group) => scopesOf(group).includes(scope)))
  return html`<div class="grid">
    ${groups.map((group) => row(group, chosen, say, set))}
    ${others.map((scope) => html`<div class="grid-row"><span class="grid-name">${box(scope, scope, chosen.has(scope), false, set, scope)}</span></div>`)}
  </div>`
}

type Set_ = (scope: string, on: boolean) => void

function row(group: ScopeGroup, chosen: ReadonlySet<string>, say: Say, set: Set_): TemplateResult {
  const { resource, actions, whole: hasWhole } = group
  const all = `${resource}:*`
  const whole = chosen.has(all) || chosen.has('*')
  return html`<div class="grid-row" role="group" aria-label=${resource}>
    <span class="grid-name">${resource}</span>
    <span class="grid-boxes">
      ${hasWhole === false ? nothing : box(all, say('scopeAll'), whole, chosen.has('*'), set, say('scopeAllOf', { resource }))}
      ${actions.map((action) => {
        const scope = `${resource}:${action}`
        return box(scope, action, whole || chosen.has(scope), whole, set, say('scopeOne', { resource, action }))
      })}
    </span>
  </div>`
}

function box(scope: string, text: string, on: boolean, covered: boolean, set: Set_, name: string): TemplateResult {
  const change = (event: Event) => set(scope, event.target instanceof HTMLInputElement && event.target.checked)
  return html`<label class="box"
    ><input type="checkbox" aria-label=${name} data-scope=${scope} .checked=${on} ?disabled=${covered} @change=${change} /><span>${text}</span></label
  >`
}

function scopesOf({ resource, actions, whole }: ScopeGroup): readonly string[] {
  return [...(whole === false ? [] : ['*']), ...actions].map((action) => `${resource}:${action}`)
}
