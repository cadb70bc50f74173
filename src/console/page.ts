import type { Language } from './language.ts'

const TEXTS = {
  en: {
    title: 'API keys',
    script: 'This page needs JavaScript.',
    signedOut: 'You are not signed in',
    signIn: 'Sign in to manage API keys, then load this page again.',
  },
  zh: {
    title: 'API 密钥',
    script: '此页面需要 JavaScript。',
    signedOut: '您尚未登录',
    signIn: '请登录后重新加载此页面以管理 API 密钥。',
  },
} as const satisfies Readonly<Record<Language, object>>

/** Nothing but this page's own files, nothing inline, no frame around it; markup is made by lit's one policy alone. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types lit-html',
].join('; ')

export const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  'Cache-Control': 'no-store',
  Vary: 'Accept, Accept-Language, Accept-Encoding',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'clipboard-write=(self), camera=(), geolocation=(), microphone=()',
}

interface DocumentParts {
  readonly language: Language
  readonly title: string | undefined
  readonly stylesheet: string | undefined
  /** What the addresses of the page's files begin with. */
  readonly base: string
  /** What the page would ask for first; absent for whoever may see nothing at all. */
  readonly answers?: object
}

/** The page: where the custom element stands. */
export function documentOf({ language, title, stylesheet, base, answers }: DocumentParts): string {
  const texts = TEXTS[language]
  const sheet = stylesheet === undefined ? '' : linkTo(stylesheet)
  const plain = linkTo(`${base}keyward-console.css`)
  // Without it there is nothing to see: a frame before it would only keep the browser busy.
  const script = answers
    ? `<script type="module" blocking="render" src="${escaped(base)}keyward-console.js"></script>\n`
    : ''
  const body = answers
    ? `<keyward-console lang="${language}">${block(answers)}</keyward-console>\n<noscript>${plain}${texts.script}</noscript>`
    : `${plain}<main class="notice"><h1>${texts.signedOut}</h1><p>${texts.signIn}</p></main>`
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${escaped(title ?? texts.title)}</title>
<link rel="icon" type="image/svg+xml" href="${escaped(base)}keyward-console.svg">
${sheet}${script}</head>
<body>
${body}
</body>
</html>
`
}

function linkTo(sheet: string): string {
  return `<link rel="stylesheet" href="${escaped(sheet)}">\n`
}

/** Data that no browser runs, whatever the policy says of scripts. No text in it can end it, or begin a comment. */
function block(data: object): string {
  return `<script type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
