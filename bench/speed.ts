import { measure, type Plan } from './instrument.ts'
import { KEYWARD } from './keyward.ts'
import { peerVariants } from './peers.ts'

// A process of its own: times the peers and one variant of Keyward side by side, and answers with their timings.
const [plan = '{}', name = ''] = process.argv.slice(2)

const ours = await KEYWARD[name]?.(name)
process.send?.(
  await measure([...(await peerVariants()), ...(ours === undefined ? [] : [ours])], JSON.parse(plan) as Plan),
)
process.disconnect?.()
