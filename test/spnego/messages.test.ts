/** Messages of RFC 4178 and MS-SPNG as others wrote them. */
import { describe, expect, test } from 'vitest'
import { decode } from '../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { frame, unframe } from '../../src/gss/frame.ts'
import { mechanismOids } from '../../src/gss/index.ts'
import { AcceptorNegotiationToken, NegotiationToken } from '../../src/spnego/messages.ts'
import { encodeHints, encodeInit, encodeMechTypes, encodeResponse } from '../../src/spnego/tokens.ts'
import { vectors } from '../support/vectors.ts'
import { message } from './session.ts'

interface ContextVector {
  readonly id: string
  readonly mech: string
  readonly context_tokens: readonly { readonly sent_by: string; readonly token: string }[]
}

const { krb5, krb5Microsoft, negoex, ntlmssp, spnego } = mechanismOids
const contexts = vectors<{ contexts: readonly ContextVector[] }>('generated_gss_tokens').contexts.filter(
  ({ mech }) => mech === 'spnego',
)

describe('tokens that MIT krb5 made (vectors/generated_gss_tokens.json)', () => {
  test('there are some', () => expect(contexts).toHaveLength(8))

  test.each(contexts)('$id: we read them, and write the same', ({ context_tokens: tokens }) => {
    const [first, reply] = tokens.map(({ token }) => fromHex(token))
    const init = message(first!)
    if (init.kind !== 'negTokenInit') throw expect.unreachable()
    expect(init.mechTypes.value).toEqual([krb5])
    expect(unframe(init.mechToken!).mechanism).toBe(krb5)
    expect(toHex(encodeInit(encodeMechTypes([krb5]), init.mechToken))).toBe(toHex(first!))
    const response = message(reply!)
    if (response.kind !== 'negTokenResp') throw expect.unreachable()
    expect(response).toMatchObject({ negState: 'acceptCompleted', supportedMech: krb5 })
    expect(toHex(encodeResponse(response))).toBe(toHex(reply!))
  })
})

describe('tokens of Windows (MS-SPNG §2.2.1, §3.2.5.2)', () => {
  /** What a Windows server without a domain sends in SMB2 NEGOTIATE. */
  const hints =
    '604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa32a3028a0261b24' +
    '6e6f745f646566696e65645f696e5f5246433431373840706c656173655f69676e6f7265'

  test('hints are read, and written the same', () => {
    expect(decode(AcceptorNegotiationToken, unframe(fromHex(hints)).innerToken)).toMatchObject({
      kind: 'negTokenInit2',
      value: { mechTypes: { value: [ntlmssp] }, negHints: { hintName: 'not_defined_in_RFC4178@please_ignore' } },
    })
    expect(toHex(encodeHints([ntlmssp]))).toBe(hints)
  })

  test('a browser’s list of mechanisms is read, its octets kept for the MIC', () => {
    const mechTypes = '302e06092a864882f71201020206092a864886f712010202060a2b06010401823702021e060a2b06010401823702020a'
    const token = `604206062b0601050502a0383036a030${mechTypes}a2020400`
    const init = message(fromHex(token))
    expect(init).toMatchObject({ mechTypes: { value: [krb5Microsoft, krb5, negoex, ntlmssp] }, mechToken: {} })
    expect(init.kind === 'negTokenInit' && toHex(init.mechTypes.der)).toBe(mechTypes)
  })
})

describe('the frame of an initial token (RFC 2743 §3.1)', () => {
  test.each([0, 1, 117, 118, 119, 245, 246, 65_000, 70_000])('holds %i octets', (size) => {
    const innerToken = new Uint8Array(size).fill(7)
    expect(unframe(frame(spnego, innerToken))).toEqual({ mechanism: spnego, innerToken })
  })

  test.each([
    ['another tag', '61020500'],
    ['no mechanism', '60020500'],
    ['a length that is too long', '600a06062b0601050502'],
    ['a length that is too short', '600706062b060105050200'],
    ['a padded length', '60810806062b0601050502'],
    ['an indefinite length', '608006062b06010505020000'],
  ])('is refused with %s', (_, hex) => expect(() => unframe(fromHex(hex))).toThrow(/^InitialContextToken: /))
})

test('a MIC is made over the list alone, its tag in the message not included (RFC 4178 appendix D)', () =>
  expect(toHex(encodeMechTypes([krb5]))).toBe('300b06092a864886f712010202'))

describe('what RFC 4178 leaves open', () => {
  test('members that are not known yet are skipped (§6)', () =>
    expect(decode(NegotiationToken, fromHex('a10c300aa0030a0100a9030101ff'))).toEqual({
      kind: 'negTokenResp',
      value: { negState: 'acceptCompleted' },
    }))

  test.each([
    ['an unknown negState', 'a1073005a0030a0104'],
    ['a negState that is no ENUMERATED', 'a1073005a003020100'],
    ['another choice', 'a2073005a0030a0100'],
    ['two values under one tag', 'a1093007a0050a01000500'],
  ])('%s is refused', (_, hex) => expect(() => decode(NegotiationToken, fromHex(hex))).toThrow(/./))
})
