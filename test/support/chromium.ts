import { type Browser, chromium } from 'playwright-core'
import { programOf } from './private-server.ts'

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
]

/** A real Chromium; whoever opens it closes it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: programOf('chromium', 'chromium'), args: ARGS })
}
