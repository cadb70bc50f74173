import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const GUIDES = readdirSync('docs').filter((name) => name.endsWith('.md'))
const PAPERS = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...GUIDES.map((name) => join('docs', name))]

/** A heading as GitHub links to it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-')

function headingsOf(path: string): readonly string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^##+ (.*)$/gm)].map(([, heading = '']) => heading)
}

/** Links to files and headings of this repository, each as the file and the anchor. */
function linksOf(path: string): readonly { readonly file: string; readonly anchor: string | undefined }[] {
  const links = readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)
  return [...links].map(([, to = '', anchor]) => ({ file: to === '' ? path : join(dirname(path), to), anchor }))
}

it.each(PAPERS.filter((path) => path !== 'CHANGELOG.md'))('%s links to what is there', (path) => {
  const links = linksOf(path)
  expect(links).not.toEqual([])
  const broken = links.filter(({ file, anchor }) => {
    if (!existsSync(file)) return true
    return anchor !== undefined && !headingsOf(file).map(anchorOf).includes(anchor)
  })
  expect(broken).toEqual([])
})

it('README.md links to every guide', () => {
  const linked = linksOf('README.md').map(({ file }) => file)
  expect(linked).toEqual(expect.arrayContaining(GUIDES.map((name) => join('docs', name))))
})

it('the contents of README.md name every section, and those below that have a heading of their own', () => {
  const readme = readFileSync('README.md', 'utf8')
  const contents = readme.slice(readme.indexOf('\n- **Begin:**'), readme.indexOf('\n## '))
  const listed = [...contents.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor)
  // What was measured may have as many headings as it likes.
  const measured = /^## Performance\n.*?(?=^## )/ms
  const headings = [...readme.replace(measured, '## Performance\n').matchAll(/^##+ (.*)$/gm)]
  expect([...listed].sort()).toEqual(headings.map(([, heading = '']) => anchorOf(heading)).sort())
})
