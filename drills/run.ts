import { parseArgs } from 'node:util'
import { BULK, bulk, bulkFinding, LITTLE_BULK } from './bulk.ts'
import { EXACTNESS, exactness, exactnessFinding, LITTLE_EXACTNESS } from './exactness.ts'
import { GROWTH, growth, growthFinding, LITTLE_GROWTH } from './growth.ts'
import { LEASES, LITTLE_LEASES, leases, leasesFinding } from './leases.ts'
import { FEW_OUTAGES, OUTAGE, outage } from './outage.ts'
import { outageFinding } from './outage-report.ts'
import { type Finding, isKept, sectionOf, writeSection } from './report.ts'
import { FEW_REVOCATIONS, REVOCATION, revocation, revocationFinding } from './revocation.ts'

// npm run drill                        every drill; writes drills/RESULTS.md
// npm run drill -- exactness           one of them, or several; replaces their sections
// npm run drill -- exactness --small   with the numbers of the tests; prints only
// npm run drill -- growth --on Redis   on one store; prints only
const DRILLS: Readonly<Record<string, (isSmall: boolean) => Promise<Finding>>> = {
  exactness: drill(EXACTNESS, LITTLE_EXACTNESS, exactness, exactnessFinding),
  leases: drill(LEASES, LITTLE_LEASES, leases, leasesFinding),
  revocation: drill(REVOCATION, FEW_REVOCATIONS, revocation, revocationFinding),
  outage: drill(OUTAGE, FEW_OUTAGES, outage, outageFinding),
  bulk: drill(BULK, LITTLE_BULK, bulk, bulkFinding),
  growth: drill(GROWTH, LITTLE_GROWTH, growth, growthFinding),
}

function drill<Plan extends { readonly engines: readonly string[] }, Found>(
  full: Plan,
  small: Plan,
  work: (plan: Plan, say: (text: string) => void) => Promise<Found>,
  findingOf: (plan: Plan, found: Found) => Finding,
) {
  return async (isSmall: boolean) => {
    const chosen = isSmall ? small : full
    const plan = only === undefined ? chosen : { ...chosen, engines: chosen.engines.filter((name) => name === only) }
    return findingOf(plan, await work(plan, console.error))
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, on: { type: 'string' } },
})
const { small: isSmall, on: only } = values
const names = positionals.length > 0 ? positionals : Object.keys(DRILLS)
const unknown = names.filter((name) => !Object.hasOwn(DRILLS, name))
if (unknown.length > 0) {
  console.error(`There is no drill ${unknown.join(', ')}; there are ${Object.keys(DRILLS).join(', ')}.`)
  process.exit(2)
}

for (const name of names) {
  console.error(`${name} ...`)
  const start = performance.now()
  const finding = await (DRILLS[name] as (isSmall: boolean) => Promise<Finding>)(isSmall)
  const section = sectionOf(finding, (performance.now() - start) / 1000)
  console.log(`\n${section}`)
  if (!isSmall && only === undefined) writeSection(name, section)
  if (!isKept(finding)) process.exitCode = 1
}
