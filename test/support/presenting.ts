import type { Created } from 'keyward'

/** The texts of a key, however it is carried. */
export type Texts = Pick<Created, 'key' | 'secret'>

/** Every source that a default instance reads, and the header lines in which it carries a key. */
export const SOURCES = [
  { source: 'Bearer', pair: false, lines: ({ key }: Texts) => [['Authorization', `Bearer ${key}`]] },
  { source: 'X-API-Key', pair: false, lines: ({ key }: Texts) => [['X-API-Key', key]] },
  {
    source: 'pair',
    pair: true,
    lines: ({ key, secret = '' }: Texts) => [
      ['X-API-Key', key],
      ['X-API-Secret', secret],
    ],
  },
] as const satisfies readonly {
  readonly source: string
  readonly pair: boolean
  readonly lines: (texts: Texts) => readonly (readonly [string, string])[]
}[]

export type SourceCase = (typeof SOURCES)[number]

/** The facts of a request that carries a key so. */
export function carried({ lines }: SourceCase, texts: Texts) {
  return { rawHeaders: lines(texts).flat(), peer: '203.0.113.9' }
}

/** Lines for a raw request. */
export function headerText({ lines }: SourceCase, texts: Texts): readonly string[] {
  return lines(texts).map(([name, value]) => `${name}: ${value}`)
}
