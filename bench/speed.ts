import { measure, type Plan } from './instrument.ts'
import { variantsOf } from './suites.ts'

// A process of its own: times the variants of one suite side by side, and answers with their timings.
const [plan = '{}', suite = ''] = process.argv.slice(2)

process.send?.(await measure(await variantsOf(suite), JSON.parse(plan) as Plan))
process.disconnect?.()
