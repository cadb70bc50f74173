/** A test that cannot pass on a runtime, or at times does not, for a reason that is not Keyward's. */
export interface Known {
  /** How its name begins; the file is part of it. */
  readonly test: RegExp
  readonly why: string
}

const OWN_MOUNT: Known = {
  test: /management\/(life|served)\.test\.ts .*Hono\\?'s own mount'/,
  why: 'the mount() of Hono cannot copy the request of @hono/node-server where a request has no duplex',
}

/** By the runtime's name. Whatever fails beside these is a failure. */
export const KNOWN: Readonly<Record<string, readonly Known[]>> = {
  bun: [
    { test: /H-46 .*(990 headers|as many headers as can be counted)/, why: 'its server refuses 200 headers and more' },
    { test: /hash\/leaks\.test\.ts .*in the memory of the process/, why: 'v8.setFlagsFromString gives it no gc()' },
    {
      test: /(argon2-faults\.test\.ts .*A-07|drivers\.test\.ts)/,
      why: 'a hook on Module._load does not see its require',
    },
    {
      test: /frameworks\.test\.ts Every scene on HTTP\/2 .*bearer token.* in two lines/,
      why: 'its client of HTTP/2 ends a stream whose frame the test writes by itself',
    },
    { test: /attacks\/cluster\.test\.ts/, why: 'its workers of node:cluster cannot run TypeScript by --import tsx' },
    { test: /(sqlite|sql)\/processes\.test\.ts/, why: 'its processes cannot run TypeScript by --import tsx' },
    OWN_MOUNT,
    {
      test: /management\/served\.test\.ts .*M-04.*'(Hono|fetch)'/,
      why: 'at times its fetch sends on a connection that @hono/node-server hangs up, which has answered before the body was sent',
    },
    {
      test: /credits-node\.test\.ts (a guard of node that is given the request alone|it holds while)/,
      why: 'it tells nobody of a response that was sent (http.server.response.finish)',
    },
    {
      test: /holds-and-clients\.test\.ts (a second request on the connection|.*with the response: false)/,
      why: 'it tells nobody of requests that come behind another (http.server.request.start)',
    },
    { test: /express-warnings\.test\.ts/, why: 'a warning that it hands out has other fields' },
    {
      test: /fetch-responses\.test\.ts a response keeps its type/,
      why: 'it makes up the type of a text when it sends it, and no more once its body was looked at',
    },
  ],
  deno: [
    OWN_MOUNT,
    {
      test: /management\/served\.test\.ts .*M-04.*'(Hono|fetch)'/,
      why: 'its fetch drops an answer that comes before the body is sent, where @hono/node-server then hangs up',
    },
    {
      test: /close-when-revoked\.test\.ts .*says 1008 with nothing to send \(true/,
      why: 'over TLS it drops what was written just before a socket is destroyed',
    },
    {
      test: /(mount\.test\.ts .*'Fastify' takes a target with an origin|mount-ambiguous\.test\.ts mount .*Fastify' answers)/,
      why: 'Fastify, also without Keyward, answers 400 to such a target there',
    },
  ],
}
