import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressFlaw, addressLines } from '../../src/console/page/addresses.ts'
import { parseCidr } from '../../src/network/cidr.ts'

const octet = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('010', '', '0x1', '-1'))
const quad = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'))
const group = fc.oneof(
  fc.integer({ min: 0, max: 0x1ffff }).map((n) => n.toString(16)),
  fc.constantFrom('', '', 'g', '00001', '192.0.2.1'),
)
const six = fc.array(group, { minLength: 2, maxLength: 9 }).map((parts) => parts.join(':'))
const length = fc.constantFrom('', '/0', '/8', '/24', '/32', '/33', '/64', '/128', '/129', '/08', '/', '/8/8', '/x')
const written = fc.tuple(fc.oneof(quad, six, fc.ipV4(), fc.ipV6()), length).map((parts) => parts.join(''))

describe('an address that is being typed', () => {
  it('is found wrong exactly where the service refuses it', () => {
    fc.assert(
      fc.property(written, (text) => {
        // A mapped block counts its length from 96: that alone is left to the service.
        fc.pre(!/^::ffff:/i.test(text))
        const accepted = typeof parseCidr(text) === 'object'
        expect([text, addressFlaw(text) === undefined]).toEqual([text, accepted])
      }),
      { numRuns: 5000 },
    )
  })

  it('is mended by a suggestion that the service accepts', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 32 }), (host, bits) => {
        const flaw = addressFlaw(`${host}/${bits}`)
        if (flaw?.kind === 'host bits')
          expect([flaw.suggestion, typeof parseCidr(flaw.suggestion)]).toEqual([flaw.suggestion, 'object'])
      }),
      { numRuns: 2000 },
    )
    expect(addressFlaw('10.0.0.5/8')).toMatchObject({ line: 1, suggestion: '10.0.0.0/8' })
    expect(addressFlaw('\n2001:db8::1/32')).toMatchObject({ line: 2, suggestion: '2001:db8::/32' })
  })

  it('stands alone on its line, among empty ones', () => {
    expect(addressLines(' 10.0.0.1 \n\n2001:db8::/32\r\n')).toEqual(['10.0.0.1', '2001:db8::/32'])
    expect(addressFlaw('10.0.0.1, 10.0.0.2')).toMatchObject({ kind: 'address', line: 1 })
  })
})
