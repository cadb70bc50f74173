export { type FakeClock, fakeClock } from './fake-clock.ts'
export { type GuardCheck, type GuardedRoute, type GuardHarness, guardChecks, type SentAnswer } from './guard-checks.ts'
export { type StoreCheck, storeChecks } from './store-checks.ts'
export { type TestKey, testKey } from './test-key.ts'
