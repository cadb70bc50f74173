let made: Promise<string> | undefined

/** The browser's code: made where the sources run, as in tests and examples; the build has it made already (build/page.ts). */
export function pageScript(): Promise<string> {
  made ??= import('./bundle.ts').then(({ bundlePage }) => bundlePage())
  return made
}
