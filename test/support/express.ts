import { createRequire } from 'node:module'
import express from 'express'
import type { ApiKeysOptions, Created } from 'keyward'

/** Express 4 comes without types under its alias; what these tests use of it is the same. */
const express4: typeof express = createRequire(import.meta.url)('express4')

/** Both majors that the adapter is for: every test of it runs on each. */
export const EXPRESSES = [
  { name: 'Express 5', express },
  { name: 'Express 4', express: express4 },
] as const

export type ExpressModule = typeof express

/** How a request carries a key, and what the instance needs for it. */
export interface Carrier {
  readonly source: string
  readonly options: Pick<ApiKeysOptions, 'pair'>
  lines(created: Pick<Created, 'key' | 'secret'>): readonly string[]
}

/** The three ways in which a stock instance reads keys. */
export const CARRIERS: readonly Carrier[] = [
  { source: 'Bearer', options: {}, lines: ({ key }) => [`Authorization: Bearer ${key}`] },
  { source: 'X-API-Key', options: {}, lines: ({ key }) => [`X-API-Key: ${key}`] },
  {
    source: 'pair',
    options: { pair: true },
    lines: ({ key, secret }) => [`X-API-Key: ${key}`, `X-API-Secret: ${secret}`],
  },
]

/** Each major with each way of carrying a key. */
export const EVERY_WAY = EXPRESSES.flatMap((major) => CARRIERS.map((carrier) => ({ ...major, ...carrier })))
