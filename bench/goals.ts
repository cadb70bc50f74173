import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Goal, HTTP, LOOP, REDIS, VERIFY, WEIGHT } from './goals-list.ts'
import { resultFile } from './program.ts'

// npm run bench:goals   puts what the other benches found beside the goals, and writes bench/GOALS.md

const NODES = ['20', '24']
const TABLE = new URL('./GOALS.md', import.meta.url)

/** What the table says so far, by row: the figures of a bench that was not run here stay. */
const before = new Map(
  readFileSync(TABLE, 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((part) => part.trim()))
    .map(([, what = '', , ...figures]) => [what, figures]),
)

const lines = [
  ...section('npm run bench', 'verify', VERIFY),
  ...section('npm run bench:http', 'http', HTTP),
  ...section('npm run bench:redis', 'redis', REDIS),
  ...section('npm run bench:weight', 'weight', WEIGHT),
  ...section('npm run bench:loop', 'loop', LOOP),
]
const table = [
  `| what | goal | ${NODES.map((node) => `Node ${node}`).join(' | ')} | by |`,
  `|---|--:|${NODES.map(() => '--:|').join('')}---|`,
  ...lines,
].join('\n')

console.log(table)
writeFileSync(
  TABLE,
  `# What was aimed at, and what was reached

\`npm run bench:goals\` writes this from what the commands in the last column found last, on Node 20; on Node 24 it is
\`npm run bench:node24 -- bench/verify.ts\`, and so for each bench; what was not run again stays. Medians; H is one \`crypto.hash\` of 50 characters.
\`bench/WHY.md\` says why some are missed. keypal has left npm: it is there for who has a build of its repository (\`KEYPAL=/path/to/keypal.mjs npm run bench\`).

${table}
`,
)

/** The rows of one bench, whose results a file holds. */
function section<R>(command: string, file: string, goals: readonly Goal<R>[]): readonly string[] {
  const found = NODES.map((node) => read<R>(file, node))
  return goals.map((goal) => {
    const figures = found.map((results, node) =>
      results === undefined ? (before.get(goal.what)?.[node] ?? '–') : cell(goal, results),
    )
    return `| ${[goal.what, boundOf(goal), ...figures, command].join(' | ')} |`
  })
}

function read<R>(file: string, node: string): R | undefined {
  const path = resultFile(file, node)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

function boundOf<R>({ most, least, unit = '' }: Goal<R>): string {
  return `${least === undefined ? `≤ ${most}` : `≥ ${least}`} ${unit}`.trim()
}

function cell<R>({ of, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Goal<R>, found: R): string {
  const figure = of(found)
  if (figure === undefined || Number.isNaN(figure)) return '–'
  return `${figure.toPrecision(3)}${figure <= most && figure >= least ? '' : ', missed'}`
}
