/** A request that comes from somewhere, over some proxies. */
export interface AddressCase {
  readonly name: string
  /** Not stated where absent. */
  readonly trustedProxies?: readonly string[]
  /** The loopback address that the request is sent from. */
  readonly from?: string
  readonly lines?: readonly string[]
  /** The client's address; `undefined` when it must not be known. */
  readonly client: string | undefined
}

const FORWARDING = [
  ['I-01', 'X-Forwarded-For: 10.0.0.5'],
  ['I-02', 'X-Real-IP: 10.0.0.5'],
  ['I-02', 'Forwarded: for=10.0.0.5'],
  ['I-02', 'CF-Connecting-IP: 10.0.0.5'],
  ['I-02', 'True-Client-IP: 10.0.0.5'],
  ['I-02', 'X-Client-IP: 10.0.0.5'],
] as const
/** These name no client, but only a proxy sends them. */
const TELLTALES = [
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: api.example.com',
  'X-Cluster-Client-IP: 10.0.0.5',
  'Fastly-Client-IP: 10.0.0.5',
]
const GARBAGE_HOPS = ['not-an-ip', 'unknown', '_hidden', '', ',', ', ,']
const PORTS_AND_ZONES = ['203.0.113.9:1234', '[2001:db8::1]:443', '[2001:db8::1]', 'fe80::1%eth0']
const NO_ADDRESSES = ['0x0a.0.0.5', '10.1', '167772165', '010.0.0.5', '10.0.0.5/32', '"10.0.0.5"', '10.0.0.5;x']
const LATIN1 = ['10.0.0.5\u00a0', '\u00a010.0.0.5', '1\u00b2.0.0.5']
const MAPPED = ['::ffff:10.0.0.5', '::FFFF:10.0.0.5', '::ffff:0a00:0005', '0:0:0:0:0:ffff:a00:5']
const TRANSLATED = [
  ['::10.0.0.5', '::a00:5'],
  ['64:ff9b::10.0.0.5', '64:ff9b::a00:5'],
  ['2002:0a00:0005::', '2002:a00:5::'],
] as const

const proxied = (hops: string): Omit<AddressCase, 'name'> => ({
  trustedProxies: ['127.0.0.2'],
  from: '127.0.0.2',
  lines: [`X-Forwarded-For: ${hops}`],
  client: undefined,
})

/** Group I of the catalogue: what the client's address is, however it is told. */
export const ADDRESS_CASES: readonly AddressCase[] = [
  { name: 'takes the address of the socket where nobody was forwarded', from: '127.0.0.3', client: '127.0.0.3' },
  { name: 'takes it with `trustedProxies: []` too', trustedProxies: [], from: '127.0.0.3', client: '127.0.0.3' },
  ...FORWARDING.map(([id, line]) => ({
    name: `${id} knows no address while trustedProxies is not stated and there is ${line}`,
    from: '127.0.0.3',
    lines: [line],
    client: undefined,
  })),
  ...TELLTALES.map((line) => ({
    name: `I-02 knows no address while trustedProxies is not stated and ${line} tells of a proxy`,
    from: '127.0.0.3',
    lines: [line],
    client: undefined,
  })),
  ...FORWARDING.map(([id, line]) => ({
    name: `${id} ignores ${line} with \`trustedProxies: []\``,
    trustedProxies: [],
    from: '127.0.0.3',
    lines: [line],
    client: '127.0.0.3',
  })),
  ...FORWARDING.map(([id, line]) => ({
    name: `${id} ignores ${line} of a peer that is no trusted proxy`,
    trustedProxies: ['127.0.0.2'],
    from: '127.0.0.3',
    lines: [line],
    client: '127.0.0.3',
  })),
  ...FORWARDING.slice(1).map(([, line]) => ({
    name: `I-02 reads nothing but X-Forwarded-For of a trusted proxy, not ${line}`,
    ...proxied(''),
    lines: [line],
  })),
  { name: 'takes the one hop that a trusted proxy names', ...proxied('10.0.0.5'), client: '10.0.0.5' },
  { name: 'takes the rightmost hop that is not trusted', ...proxied('10.0.0.5, 203.0.113.9'), client: '203.0.113.9' },
  {
    name: 'walks over trusted hops, on any number of them',
    ...proxied('10.0.0.5 ,203.0.113.9,10.9.0.1,\t10.9.255.254'),
    trustedProxies: ['127.0.0.2', '10.9.0.0/16'],
    client: '203.0.113.9',
  },
  {
    name: 'takes the leftmost hop where all are trusted',
    ...proxied('10.9.0.1, 10.9.0.2'),
    trustedProxies: ['127.0.0.2', '10.9.0.0/16'],
    client: '10.9.0.1',
  },
  {
    name: 'does not look behind the first hop that is not trusted',
    ...proxied('not-an-ip, 10.0.0.5'),
    client: '10.0.0.5',
  },
  {
    name: 'I-10 walks from the right over two X-Forwarded-For lines',
    ...proxied(''),
    lines: ['X-Forwarded-For: 10.0.0.5', 'x-forwarded-for: 203.0.113.9'],
    client: '203.0.113.9',
  },
  {
    name: 'I-10 goes from the last line on into the one before',
    ...proxied(''),
    trustedProxies: ['127.0.0.2', '10.9.0.1'],
    lines: ['X-Forwarded-For: 10.0.0.5, 203.0.113.9', 'X-Forwarded-For: 10.9.0.1'],
    client: '203.0.113.9',
  },
  { name: 'knows no address where a trusted proxy names none', ...proxied(''), lines: [] },
  ...GARBAGE_HOPS.map((hop) => ({
    name: `I-11 knows no address behind the hop ${JSON.stringify(hop)}`,
    ...proxied(hop),
  })),
  ...GARBAGE_HOPS.map((hop) => ({
    name: `I-11 knows no address when the walk comes to the hop ${JSON.stringify(hop)}`,
    ...proxied(`10.0.0.5, ${hop}, 127.0.0.2`),
  })),
  ...PORTS_AND_ZONES.map((hop) => ({ name: `I-12 knows no address behind ${hop}`, ...proxied(hop) })),
  ...NO_ADDRESSES.map((hop) => ({ name: `I-14 does not take ${hop} for an address`, ...proxied(hop) })),
  ...LATIN1.map((hop) => ({ name: `I-14 does not take ${encodeURI(hop)} for an address`, ...proxied(hop) })),
  ...MAPPED.map((hop) => ({ name: `I-15 takes ${hop} for 10.0.0.5`, ...proxied(hop), client: '10.0.0.5' })),
  {
    name: 'I-15 reads ::1:2:3:4:5:10.0.0.5, where :: stands for one group',
    ...proxied('::1:2:3:4:5:10.0.0.5'),
    client: '0:1:2:3:4:5:a00:5',
  },
  ...TRANSLATED.map(([hop, client]) => ({ name: `I-16 does not translate ${hop} to IPv4`, ...proxied(hop), client })),
  {
    name: 'I-18 takes 2001:DB8:0:0:0:0:0:1 for 2001:db8::1',
    ...proxied('2001:DB8:0:0:0:0:0:1'),
    client: '2001:db8::1',
  },
]
