/**
 * Class 6: tokens of several contexts, delivered to any end in any order, as they are or stitched together: whatever comes,
 * nothing but a GssError is thrown, nothing is taken twice, and nothing of another context, direction or kind.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../../src/bytes/index.ts'
import type { Krb5Context } from '../../../src/gss/krb5/context.ts'
import { ends, majorOf } from '../../support/established.ts'
import { long } from '../../support/mutations.ts'

const RUNS = long ? 5000 : 30
const CONTEXTS = 2
const TOKENS = 4
const REFUSED = /^GSS_S_(DEFECTIVE_TOKEN|BAD_SIG|BAD_MECH)$/
const kinds = ['sealed', 'signed', 'MIC'] as const
type Kind = (typeof kinds)[number]

interface Sent {
  readonly kind: Kind
  /** For which end of which context. */
  readonly receiver: Krb5Context
  readonly octets: Uint8Array
}

/** One token delivered: which, to whom, as what, and with what done to it. */
const deliveries = fc.array(
  fc.record({
    token: fc.nat({ max: 2 * CONTEXTS * TOKENS - 1 }),
    other: fc.nat({ max: 2 * CONTEXTS * TOKENS - 1 }),
    receiver: fc.nat({ max: 4 * CONTEXTS - 1 }),
    asMic: fc.boolean(),
    at: fc.nat({ max: 200 }),
    how: fc.constantFrom('whole', 'whole', 'joined', 'spliced', 'repeated', 'without', 'exchanged'),
  }),
  { minLength: 1, maxLength: 24 },
)
type Delivery = typeof deliveries extends fc.Arbitrary<readonly (infer T)[]> ? T : never

/** What becomes of a token on the way. */
function stitched({ octets }: Sent, other: Sent, { how, at }: Delivery): Uint8Array {
  const cut = at % octets.length
  if (how === 'joined') return concat(octets, other.octets)
  if (how === 'spliced') return concat(octets.subarray(0, cut), other.octets.subarray(cut))
  if (how === 'repeated') return concat(octets.subarray(0, cut), octets.subarray(cut >> 1))
  if (how === 'without') return concat(octets.subarray(0, cut), octets.subarray(cut + 1 + (at >> 4)))
  if (how === 'exchanged') return concat(octets.subarray(cut), octets.subarray(0, cut))
  return octets
}

describe.each(['aes256-cts', 'aes128-sha2', 'des3-cbc-sha1', 'arcfour-hmac'])('tokens of %s', (enctype) => {
  // What RC4 only signs has a number that anybody may change (RFC 4757 §7.3).
  const made = enctype === 'arcfour-hmac' ? (['sealed'] as const) : kinds

  test('are taken once, whole, by the end they are for', () => {
    fc.assert(
      fc.property(deliveries, fc.constantFrom(0, 2 ** 32 - 3), (order, sequence) => {
        const contexts = Array.from({ length: CONTEXTS }, (_, i) =>
          ends(enctype, { sequence, acceptorSubkey: i % 2 === 1, flags: ['replayDetection'] }),
        ).flat()
        const sent = Array.from({ length: 2 * CONTEXTS * TOKENS }, (_, n): Sent => {
          const sender = contexts[n % contexts.length]!
          const kind = made[n % made.length]!
          const text = utf8(`text ${n % 3}`)
          const octets = kind === 'MIC' ? sender.sign(text) : sender.wrap(text, kind === 'sealed').message
          return { kind, receiver: contexts[(n % contexts.length) ^ 1]!, octets }
        })
        const taken = new Set<string>()
        for (const delivery of order) {
          const token = sent[delivery.token]!
          // Mostly to the end that it is for.
          const receiver = contexts[delivery.receiver] ?? token.receiver
          const octets = stitched(token, sent[delivery.other]!, delivery)
          const isMic = delivery.asMic ? token.kind === 'MIC' : delivery.how === 'whole' && token.kind === 'MIC'
          const status = majorOf(() =>
            isMic ? receiver.verify(utf8(`text ${delivery.token % 3}`), octets) : receiver.unwrap(octets),
          )
          const known = sent.find((each) => toHex(each.octets) === toHex(octets))
          if (status === 'GSS_S_COMPLETE') {
            expect(known?.receiver).toBe(receiver)
            expect(known?.kind === 'MIC').toBe(isMic)
            expect(taken.has(toHex(octets))).toBe(false)
            taken.add(toHex(octets))
          } else if (status === 'GSS_S_DUPLICATE_TOKEN') expect(taken.has(toHex(octets))).toBe(true)
          else expect(status).toMatch(REFUSED)
        }
        // Whatever came, what is good is taken still.
        for (const { kind, receiver, octets } of sent)
          if (kind !== 'MIC' && !taken.has(toHex(octets)))
            expect(majorOf(() => receiver.unwrap(octets))).toBe('GSS_S_COMPLETE')
      }),
      { numRuns: RUNS },
    )
  })
})
