import type { ApiKeysOptions } from 'keyward'

/** Where the keys of a service live; and how long it may remember them, which for all of these is not at all. */
export type Place = Pick<ApiKeysOptions, 'store' | 'storeTimeout' | 'cache'>
