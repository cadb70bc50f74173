import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { speaking, type TextName } from '../../src/console/page/texts.ts'
import { en } from '../../src/console/page/texts-en.ts'
import { zh } from '../../src/console/page/texts-zh.ts'

const FOLDER = 'src/console/page'
const names = Object.keys(en) as TextName[]
const parts = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([part]) => part).sort()

describe('the texts of the page', () => {
  it('are the same in every language, each with the same parts', () => {
    expect(Object.keys(zh).sort()).toEqual([...names].sort())
    for (const name of names) expect([name, ...parts(zh[name])]).toEqual([name, ...parts(en[name])])
  })

  it('are translated, all of them', () => {
    // The name of the other language is in that language; a scope and an "API Secret" are called so in both.
    const same = names.filter((name) => !/\p{Script=Han}/u.test(zh[name]))
    expect(same).toEqual(['otherLanguage', 'scopeOne', 'secretLabel'])
    expect(names.filter((name) => /\p{Script=Han}/u.test(en[name]))).toEqual(['otherLanguage'])
  })

  it('are all used, and no page has a text of its own', () => {
    const sources = readdirSync(FOLDER).filter((file) => file.endsWith('.ts') && !file.startsWith('texts'))
    const code = sources.map((file) => readFileSync(join(FOLDER, file), 'utf8')).join('\n')
    const built = (name: string) =>
      /^(rotate|revoke|remove)(Title|Text)$|^(second|minute|hour|day|week)(Short)?$/.test(name)
    expect(names.filter((name) => !code.includes(`'${name}'`) && !built(name))).toEqual([])
    // Words between tags that are no expression.
    expect(code.match(/>\s*[A-Za-z]{3,}[\w ]*<\//g) ?? []).toEqual([])
  })

  it('have their parts filled in, and nothing else', () => {
    expect(speaking(en)('page', { number: 3 })).toBe('Page 3')
    expect(speaking(zh)('page', { number: 3 })).toBe('第 3 页')
    expect(speaking(en)('editTitle', { name: '{name} $& <b>' })).toBe('Edit {name} $& <b>')
  })
})
