import type { LeaseSpend, Taken } from '../../model/store.ts'
import { checkLease } from '../counters.ts'
import { LEASE } from './scripts-spending.ts'
import type { Till } from './take.ts'
import { TakeAnswers } from './take-answers.ts'
import { wantedOf } from './take-args.ts'

/** One command: the earlier lease ends, and the next is taken from all windows or from none. */
export async function lease({ run, names }: Till, id: string, version: number, spend: LeaseSpend): Promise<Taken> {
  checkLease(spend)
  const { windows, cost, lease: { id: leaseId, ms } = { id: '', ms: 0 }, ended = { id: '', unused: 0 } } = spend
  const args = [String(version), wantedOf(windows), String(cost), leaseId, String(ms), ended.id, String(ended.unused)]
  return new TakeAnswers(await run(LEASE, [names.record(id), names.windows(id)], args)).next(id, windows)
}
