import { existsSync, readFileSync } from 'node:fs'
import { expect, inject, it } from 'vitest'
import { entries as built } from '../../build/entries.ts'
import manifest from '../../package.json' with { type: 'json' }

const { files, size } = inject('packed')
const { './package.json': itself, ...entries } = manifest.exports

it('the tarball holds the build and the papers, nothing else', () => {
  const expected =
    /^(package\.json|LICENSE|(README|CHANGELOG|SECURITY|THIRD-PARTY)\.md|dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts))$/
  expect(files.filter((file) => !expected.test(file))).toEqual([])
})

it('the tarball holds the papers', () => {
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'THIRD-PARTY.md']),
  )
})

it.each(['zod', 'lit', 'lit-html', 'lit-element', '@lit/reactive-element'])('the licence of %s comes along', (name) => {
  const licence = readFileSync(`node_modules/${name}/LICENSE`, 'utf8').trim()
  expect(readFileSync('THIRD-PARTY.md', 'utf8')).toContain(licence)
})

it('the tarball holds every file that an entry names', () => {
  const targets = Object.values(entries).flatMap((conditions) => Object.values(conditions).flatMap(Object.values))
  expect(files).toEqual(expect.arrayContaining(targets.map((target) => target.replace('./', ''))))
  expect(itself).toBe('./package.json')
})

it('entries, build and sources are the same list', () => {
  const exported = Object.keys(entries).map((name) => (name === '.' ? 'index' : name.replace('./', '')))
  expect(exported).toEqual(Object.keys(built))
  expect(Object.values(built).filter((source) => !existsSync(source))).toEqual([])
})

it.each(Object.entries(entries))('%s gives ESM and CJS their own types', (name, conditions) => {
  const file = name === '.' ? './dist/index' : name.replace('./', './dist/')
  expect(conditions).toEqual({
    import: { types: `${file}.d.ts`, default: `${file}.js` },
    require: { types: `${file}.d.cts`, default: `${file}.cjs` },
  })
})

it('installed it takes no more than 1.5 MB', () => {
  expect(size).toBeGreaterThan(0)
  expect(size).toBeLessThanOrEqual(1_500_000)
})

it('installing brings nothing else along', () => {
  expect(Object.keys(manifest)).not.toContain('dependencies')
})

it('installing runs no script', () => {
  const scripts = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare']
  expect(Object.keys(manifest.scripts).filter((name) => scripts.includes(name))).toEqual([])
})
