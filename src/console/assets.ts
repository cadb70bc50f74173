import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pageScript } from './script.ts'
import { textsIn } from './settings.ts'
import type { Wording } from './wording.ts'

/** A file of the page: the same for everybody, and nothing secret. */
export interface Asset {
  readonly type: string
  readonly plain: Uint8Array<ArrayBuffer>
  readonly zipped: Uint8Array<ArrayBuffer>
  readonly tag: string
}

/** For a page that has no script: the element sets its own style. */
const STYLE = `:root{color-scheme:light dark}
body{margin:0;background:var(--keyward-page,light-dark(#f6f7f9,#0e1116))}
noscript,.notice{display:block;max-width:32rem;margin:18vh auto;padding:0 1.5rem;text-align:center;
font:1rem/1.6 var(--keyward-font,system-ui,sans-serif);color:var(--keyward-text,light-dark(#171a21,#e7eaf0))}
h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:0}
`

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3157d5"/>
<g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"><circle cx="11.5" cy="20.5" r="4.5"/>
<path d="m14.8 17.2 8.7-8.7M20 12l3 3"/></g></svg>
`

/** Each file is made when it is first asked for. */
export function assetsOf({ en, zh }: Wording): ReadonlyMap<string, () => Promise<Asset>> {
  return new Map([
    ['/keyward-console.js', once(async () => assetOf('text/javascript; charset=utf-8', await pageScript()))],
    [`/${textsIn('en')}`, once(() => assetOf('application/json', JSON.stringify(en)))],
    [`/${textsIn('zh')}`, once(() => assetOf('application/json', JSON.stringify(zh)))],
    ['/keyward-console.css', once(() => assetOf('text/css; charset=utf-8', STYLE))],
    ['/keyward-console.svg', once(() => assetOf('image/svg+xml', ICON))],
  ])
}

/** For whoever understands `Content-Encoding: gzip`. */
export const zip = promisify(gzip)

export function takesGzip({ headers }: Request): boolean {
  return /\bgzip\b/.test(headers.get('accept-encoding') ?? '')
}

async function assetOf(type: string, text: string): Promise<Asset> {
  const plain = new TextEncoder().encode(text)
  const tag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { type, plain, zipped: new Uint8Array(await zip(plain, { level: 9 })), tag }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
