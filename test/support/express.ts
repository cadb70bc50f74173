import { createRequire } from 'node:module'
import express from 'express'
import type { ApiKeysOptions } from 'keyward'
import { headerText, SOURCES, type Texts } from './presenting.ts'

export type ExpressModule = typeof express

/** Express 4 comes without types under its alias; what these tests use of it is the same. */
const express4: ExpressModule = createRequire(import.meta.url)('express4')

/** Both majors that the adapter is for: every test of it runs on each. */
export const EXPRESSES = [
  { name: 'Express 5', express },
  { name: 'Express 4', express: express4 },
] as const

/** How a request carries a key, and what the instance needs for it. */
export interface Carrier {
  readonly source: string
  readonly options: Pick<ApiKeysOptions, 'pair'>
  lines(texts: Texts): readonly string[]
}

export const CARRIERS: readonly Carrier[] = SOURCES.map((source) => ({
  source: source.source,
  options: { pair: source.pair },
  lines: (texts) => headerText(source, texts),
}))

/** Each major with each way of carrying a key. */
export const EVERY_WAY = EXPRESSES.flatMap((major) => CARRIERS.map((carrier) => ({ ...major, ...carrier })))
