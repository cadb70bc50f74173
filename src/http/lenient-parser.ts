import process from 'node:process'
import { warnOnce } from '../model/warn.ts'

interface Socket {
  readonly server?: { readonly insecureHTTPParser?: boolean }
}

/** The server that was looked at last: of the requests to one, the first tells all. */
let seen: Socket['server']
/** A process is started with its options: they are looked at once. */
const FLAGGED = `${process.execArgv} ${process.env.NODE_OPTIONS}`.includes('--insecure-http-parser')

/**
 * Warns once of a server that reads what is no HTTP. Keyward refuses bytes that a credential cannot have, but what is one
 * request to such a server may have been two to the proxy before it.
 */
export function noticeLenience(socket: object | undefined): void {
  const server = (socket as Socket | undefined)?.server
  if (server === seen) return
  seen = server
  if (!(server?.insecureHTTPParser ?? FLAGGED)) return
  const message = 'A request can hide another from the proxy before it: take out insecureHTTPParser or'
  warnOnce('KEYWARD_INSECURE_PARSER', `${message} --insecure-http-parser.`)
}
