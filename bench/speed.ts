import { measure, type Plan } from './instrument.ts'
import { keywardVariants } from './keyward.ts'
import { BASE, peerVariants } from './peers.ts'

// A process of its own: times the variants whose names hold the word that it is given, and answers with their timings.
const [plan = '{}', word = ''] = process.argv.slice(2)

const all = [...(await peerVariants()), ...(await keywardVariants())]
const chosen = all.filter(({ name }) => name === BASE || name.includes(word))
process.send?.(await measure(chosen, JSON.parse(plan) as Plan))
process.disconnect?.()
