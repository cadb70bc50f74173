export { type FakeClock, fakeClock } from './fake-clock.ts'
export { type StoreCheck, storeChecks } from './store-checks.ts'
export { type TestKey, testKey } from './test-key.ts'
