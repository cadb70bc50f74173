import { writeFileSync } from 'node:fs'
import { type Profile, profileTable } from './profile-report.ts'
import { answerOf, compile } from './program.ts'
import { machine } from './report.ts'

// npm run bench:profile                 profiles what bench/GOALS.md is about, and writes bench/PROFILES.md
// npm run bench:profile -- <a variant>  one variant of bench/keyward.ts, and prints only
const [only] = process.argv.slice(2)

const VARIANTS = [
  'Keyward: warm verify, two windows, 100 CIDRs, 20 scopes, a resource',
  'Keyward: warm verify, two windows',
  'Keyward: warm verify of a request, two windows, on a connection that proved its key',
  'Keyward: malformed (a character is missing)',
  'Keyward: unknown key',
]

await compile('profiled')
const tables: string[] = []
for (const name of only === undefined ? VARIANTS : [only]) {
  tables.push(profileTable(await answerOf<Profile>('profiled', [name])))
  console.log(`\n${tables.at(-1)}`)
}

if (only === undefined) {
  const { cpu, cores } = machine()
  const intro = `# Where the time goes

\`npm run bench:profile\` writes this: the share of each function itself, without what it calls, in a million calls that are
sampled each 100 µs. Small functions are part of those that call them. Node ${process.versions.node}, ${cpu}, ${cores} cores.`
  writeFileSync(new URL('./PROFILES.md', import.meta.url), `${[intro, ...tables].join('\n\n')}\n`)
}
