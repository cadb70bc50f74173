/** A fenced block of a Markdown file. */
export interface Block {
  /** `line 12, Hashing`: where it is, for the name of a test. */
  readonly place: string
  readonly language: string
  readonly code: string
  /** From the comment above it, `<!-- name: value, value -->`. */
  readonly note: { readonly name: string; readonly values: readonly string[] } | undefined
}

const FENCE = /^(?:<!-- (\w+)(?:: ([^\n]*?))? -->\n)?```(\w*)\n(.*?)^```$/gms

export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(FENCE)].map(({ 1: name, 2: values = '', 3: language = '', 4: code = '', index }) => {
    const before = markdown.slice(0, index)
    const heading = [...before.matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? ''
    return {
      place: `line ${before.split('\n').length}, ${heading}`,
      language,
      code,
      note: name === undefined ? undefined : { name, values: values.split(', ').filter((value) => value !== '') },
    }
  })
}

/** The rows of the table under a heading or after one, each as its cells. */
export function tableAfter(markdown: string, firstColumn: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${firstColumn} |`))
  const rows: string[][] = []
  for (const line of lines.slice(start + 2)) {
    if (start < 0 || !line.startsWith('|')) break
    rows.push(
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
  }
  return rows
}
