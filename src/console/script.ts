/** The build puts the browser's code here: build/bundle.ts. */
declare const KEYWARD_CONSOLE_SCRIPT: string | undefined

let made: Promise<string> | undefined

/** The browser's code. */
export function pageScript(): Promise<string> {
  made ??= make()
  return made
}

/** Where the sources run, as in tests and examples, it is made when it is first asked for. The build drops that half. */
async function make(): Promise<string> {
  return typeof KEYWARD_CONSOLE_SCRIPT === 'string'
    ? KEYWARD_CONSOLE_SCRIPT
    : (await import('./bundle.ts')).bundlePage()
}
