import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

/** What the benches compile and find; git does not keep it. */
export const FOLDER = fileURLToPath(new URL('./results/', import.meta.url))

/**
 * Timed is what ships: programs of this folder through the compiler of the package, and no loader in between.
 * @param names without folder and ending: `speed` becomes `speed.js` in `FOLDER`
 */
export async function compile(...names: readonly string[]): Promise<void> {
  await build({
    config: false,
    entry: names.map((name) => `bench/${name}.ts`),
    outDir: FOLDER,
    format: 'esm',
    target: 'node20',
    skipNodeModulesBundle: true,
    removeNodeProtocol: false,
    silent: true,
  })
}

/** What a compiled program sends before it ends: a fresh process, on the Node that this one runs on. */
export function answerOf<T>(name: string, args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(`${FOLDER}${name}.js`, args, { execArgv: ['--expose-gc'] })
    let answer: T | undefined
    child.once('message', (message) => {
      answer = message as T
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0 && answer !== undefined) resolve(answer)
      else reject(new Error(`${name} ended with ${code}`))
    })
  })
}

/** The Node whose figures the Markdown files hold; bench/GOALS.md has those of others beside them. */
const USUAL = '20'
const [major = ''] = process.versions.node.split('.')

/** As `bench/results/verify.json`, on another Node than 20 `bench/results/verify-node24.json`. */
export function resultFile(name: string, node: string = major): URL {
  return new URL(`./results/${name}${node === USUAL ? '' : `-node${node}`}.json`, import.meta.url)
}

/** Writes what was found to JSON, and on Node 20 the Markdown beside the sources. */
export function keep(name: string, results: object, file: string, markdown: string): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(resultFile(name), `${JSON.stringify(results, undefined, 2)}\n`)
  if (major === USUAL) writeFileSync(new URL(`./${file}`, import.meta.url), markdown)
}
