/** The state machine of RFC 4178 §5, both sides, over mechanisms that do nothing but count their legs. */
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { fromHex, utf8 } from '../../src/bytes/index.ts'
import { frame } from '../../src/gss/frame.ts'
import { GssError, mechanismOids, Name } from '../../src/gss/index.ts'
import { spnego } from '../../src/spnego/index.ts'
import {
  AcceptorNegotiationToken,
  MechTypeList,
  NegotiationToken,
  type NegTokenInit,
  type NegTokenResp,
} from '../../src/spnego/messages.ts'
import { vectors } from '../support/vectors.ts'
import { checksum, fakeCredentials, fakeMechanism, type NoQuestions } from './fake.ts'
import { accept, type Fake, initiate, message, negotiate, step } from './session.ts'

const A = '1.3.6.1.4.1.1.1'
const B = '1.3.6.1.4.1.1.2'
const a = (legs = 2, more = {}) => fakeMechanism({ oid: A, name: 'A', legs, ...more })
const b = (legs = 2, more = {}) => fakeMechanism({ oid: B, name: 'B', legs, ...more })

const init = (oids: readonly string[], more: Partial<NegTokenInit> = {}) => {
  const mechTypes = { value: oids, der: encode(MechTypeList, oids) }
  return frame(mechanismOids.spnego, encode(NegotiationToken, { kind: 'negTokenInit', value: { mechTypes, ...more } }))
}
const response = (value: NegTokenResp) => encode(NegotiationToken, { kind: 'negTokenResp', value })
/** What the other side of a fake says at this point of its handshake. */
const said = async (mechanism: Fake, tokens: number): Promise<Uint8Array> => {
  const credentials = fakeCredentials([mechanism])
  const sides = [
    mechanism.initiate({ target: Name.hostbased('HTTP@www'), credentials, flags: new Set(['mutualAuthentication']) }),
    mechanism.accept({ credentials }),
  ]
  let token: Uint8Array | undefined
  for (let i = 0; i < tokens; i++) token = (await step(sides[i % 2]!, token)).token
  return token!
}
const proofFrom = (side: 'initiator' | 'acceptor', oid: string, list: readonly string[]) =>
  checksum(oid, side, encode(MechTypeList, list))

describe('the preferred mechanism of both is agreed on without proof (RFC 4178 §5)', () => {
  test('one leg: the acceptor says that it is done', async () => {
    const { tokens, initiator, acceptor } = await negotiate([a(1)], [a(1)])
    expect(tokens.map(message)).toMatchObject([
      { kind: 'negTokenInit', mechToken: expect.anything() },
      { kind: 'negTokenResp', negState: 'acceptCompleted', supportedMech: A },
    ])
    expect(message(tokens[1]!)).not.toHaveProperty('mechListMIC')
    expect([initiator?.mechanism, acceptor?.mechanism]).toEqual([A, A])
  })

  test('two legs: its word comes with its token', async () => {
    const { tokens, initiator, acceptor } = await negotiate([a(2), b()], [b(), a(2)])
    expect(tokens.map(message)).toMatchObject([
      { mechTypes: { value: [A, B] } },
      { negState: 'acceptCompleted', supportedMech: A, responseToken: await said(a(2), 2) },
    ])
    expect([initiator?.mechanism, acceptor?.mechanism]).toEqual([A, A])
  })

  test('three legs: the initiator waits for its word', async () => {
    const { tokens, initiator, acceptor } = await negotiate([a(3)], [a(3)])
    expect(tokens.map((token) => message(token))).toMatchObject([
      { kind: 'negTokenInit' },
      { negState: 'acceptIncomplete', supportedMech: A },
      { negState: 'acceptIncomplete', responseToken: await said(a(3), 3) },
      { negState: 'acceptCompleted' },
    ])
    for (const token of tokens.slice(2)) expect(message(token)).not.toHaveProperty('supportedMech')
    expect([initiator?.mechanism, acceptor?.mechanism]).toEqual([A, A])
  })

  test('the context is the mechanism’s own, and what remains is disposed of only while it is not handed over', async () => {
    const disposed: string[] = []
    const handshake = initiate([a(2, { disposed })])
    const { token } = await step(handshake)
    const { context } = await step(handshake, (await step(accept([a(2)]), token)).token)
    handshake[Symbol.dispose]()
    expect(disposed).toEqual(['initiator'])
    expect(context?.flags).toEqual(new Set(['mutualAuthentication', 'integrity']))
  })

  test('a context that waits for the last word is wiped with the handshake', async () => {
    const disposed: string[] = []
    const handshake = initiate([a(1, { disposed })])
    await step(handshake)
    handshake[Symbol.dispose]()
    expect(disposed).toEqual(['initiator', 'context'])
  })
})

describe('a mechanism that the initiator likes less is proved by both (RFC 4178 §5)', () => {
  test.each([1, 2, 3, 4])('%i legs', async (legs) => {
    const { tokens, initiator, acceptor } = await negotiate([a(), b(legs)], [b(legs)])
    const messages = tokens.map(message)
    expect(messages[0]).toMatchObject({ mechTypes: { value: [A, B] }, mechToken: await said(a(), 1) })
    expect(messages[1]).toEqual({ kind: 'negTokenResp', negState: 'requestMic', supportedMech: B })
    expect(messages.flatMap((each) => each.mechListMIC ?? [])).toEqual(
      legs % 2
        ? [proofFrom('initiator', B, [A, B]), proofFrom('acceptor', B, [A, B])]
        : [proofFrom('acceptor', B, [A, B]), proofFrom('initiator', B, [A, B])],
    )
    expect(messages.at(-1)).toMatchObject({ negState: 'acceptCompleted', mechListMIC: expect.anything() })
    expect([initiator?.mechanism, acceptor?.mechanism]).toEqual([B, B])
  })

  test('the optimistic token of another mechanism is not looked at', async () => {
    const { acceptor } = await negotiate([a(), b()], [b()], (token, index) =>
      index === 0 ? init([A, B], { mechToken: utf8('NEGOEXTS and more'), mechListMIC: utf8('of NegoEx') }) : token,
    )
    expect(acceptor?.mechanism).toBe(B)
  })

  test('NegoEx is named where there is nothing else to choose, or where it stands in the place of another’s token', async () => {
    const { tokens } = vectors<{ tokens: readonly { hex: string }[] }>('negoex')
    const first = fromHex(tokens[1]!.hex)
    await expect(negotiate([a()], [a()], () => first)).rejects.toThrow(
      /offers NegoEx \(PKU2U\), ntlmssp, and we accept A/,
    )
    const mechToken = utf8('NEGOEXTS and more')
    await expect(negotiate([a()], [a()], () => init([A], { mechToken }))).rejects.toMatchObject({
      minor: 'NegoEx',
      message: expect.stringContaining('and sent NegoEx that cannot be read'),
    })
    await expect(negotiate([a()], [a()], () => mechToken)).rejects.toMatchObject({ minor: 'NegoEx' })
  })

  test('the handshake that was begun in vain is disposed of', async () => {
    const disposed: string[] = []
    await negotiate([a(1, { disposed }), b()], [b()])
    expect(disposed).toEqual(['initiator', 'context'])
  })

  test('without integrity protection there is no proof, and so no second choice', async () => {
    const unprotected = { integrity: false }
    await expect(negotiate([a(), b(2, unprotected)], [b(2, unprotected)])).rejects.toThrow(GssError)
    await expect(negotiate([b(2, unprotected)], [b(2, unprotected)])).resolves.toMatchObject({
      initiator: { mechanism: B },
    })
  })
})

describe('an acceptor’s own wish for a proof is granted (RFC 4178 §5)', () => {
  test('a MIC beside its last token is verified and answered (b I)', async () => {
    const handshake = initiate([a(2)])
    await step(handshake)
    const mechListMIC = proofFrom('acceptor', A, [A])
    const answer = { supportedMech: A, responseToken: await said(a(2), 2), mechListMIC }
    const leg = await step(handshake, response({ negState: 'acceptIncomplete', ...answer }))
    expect(message(leg.token!)).toEqual({
      kind: 'negTokenResp',
      negState: 'acceptCompleted',
      mechListMIC: proofFrom('initiator', A, [A]),
    })
    expect(leg.context?.mechanism).toBe(A)
  })

  test('a wrong MIC ends the negotiation (b II)', async () => {
    const handshake = initiate([a(2)])
    await step(handshake)
    const mechListMIC = proofFrom('acceptor', A, [A, B])
    const answer = { supportedMech: A, responseToken: await said(a(2), 2), mechListMIC }
    await expect(step(handshake, response({ negState: 'acceptCompleted', ...answer }))).rejects.toMatchObject({
      major: 'GSS_S_DEFECTIVE_TOKEN',
    })
  })

  test('request-mic without a MIC beside the last token ends it (b IV)', async () => {
    const handshake = initiate([a(2)])
    await step(handshake)
    const answer = { supportedMech: A, responseToken: await said(a(2), 2) }
    await expect(step(handshake, response({ negState: 'requestMic', ...answer }))).rejects.toThrow(/MIC .* missing/)
  })

  test('request-mic makes the initiator prove its last token (c)', async () => {
    const handshake = initiate([a(3)])
    await step(handshake)
    const answer = { supportedMech: A, responseToken: await said(a(3), 2) }
    const { token } = await step(handshake, response({ negState: 'requestMic', ...answer }))
    expect(message(token!)).toMatchObject({ mechListMIC: proofFrom('initiator', A, [A]) })
    await expect(step(handshake, response({ negState: 'acceptCompleted' }))).rejects.toThrow(/MIC .* missing/)
  })

  test('a MIC after the optimistic token is the last is verified and answered (c IV)', async () => {
    const handshake = initiate([a(1)])
    await step(handshake)
    const mechListMIC = proofFrom('acceptor', A, [A])
    const leg = await step(handshake, response({ negState: 'requestMic', supportedMech: A, mechListMIC }))
    expect(message(leg.token!)).toMatchObject({ mechListMIC: proofFrom('initiator', A, [A]) })
    expect(leg.context).toBeDefined()
  })

  test('request-mic in a later reply is refused (§4.2.2)', async () => {
    const handshake = initiate([a(4)])
    await step(handshake)
    await step(
      handshake,
      response({ negState: 'acceptIncomplete', supportedMech: A, responseToken: await said(a(4), 2) }),
    )
    await expect(
      step(handshake, response({ negState: 'requestMic', responseToken: await said(a(4), 4) })),
    ).rejects.toThrow(/in the middle/)
  })
})

describe('an initiator’s own proof is verified and answered (RFC 4178 §5 c I)', () => {
  const optimistic = async (list: readonly string[]) =>
    init([A], { mechToken: await said(a(1), 1), mechListMIC: proofFrom('initiator', A, list) })

  test('beside the optimistic token', async () => {
    const { token, context } = await step(accept([a(1)]), await optimistic([A]))
    expect(message(token!)).toMatchObject({
      negState: 'acceptCompleted',
      mechListMIC: proofFrom('acceptor', A, [A]),
    })
    expect(context?.mechanism).toBe(A)
  })

  test('not when it proves another list (c II)', async () =>
    await expect(step(accept([a(1)]), await optimistic([A, B]))).rejects.toMatchObject({
      major: 'GSS_S_DEFECTIVE_TOKEN',
    }))

  test('required and missing beside the last token, it ends the negotiation (c V)', async () => {
    const handshake = accept([b(1)])
    await step(handshake, init([A, B]))
    const last = response({ negState: 'acceptIncomplete', responseToken: await said(b(1), 1) })
    await expect(step(handshake, last)).rejects.toThrow(/MIC .* missing/)
  })

  test('required and missing after the acceptor’s last token, it ends the negotiation', async () => {
    const handshake = accept([b(2)])
    await step(handshake, init([A, B]))
    const { context } = await step(handshake, response({ responseToken: await said(b(2), 1) }))
    expect(context).toBeUndefined()
    await expect(step(handshake, response({ negState: 'acceptCompleted' }))).rejects.toThrow(/MIC .* missing/)
  })
})

describe('what peers are known to send', () => {
  test('krb5 under Microsoft’s identifier is taken, and answered under the same', async () => {
    const krb5 = fakeMechanism({ oid: mechanismOids.krb5, aliases: [mechanismOids.krb5Microsoft], name: 'krb5' })
    const first = init([mechanismOids.krb5Microsoft, mechanismOids.krb5, mechanismOids.ntlmssp], {
      mechToken: await said(krb5, 1),
    })
    const { token, context } = await step(accept([krb5]), first)
    expect(message(token!)).toMatchObject({
      negState: 'acceptCompleted',
      supportedMech: mechanismOids.krb5Microsoft,
    })
    expect(context?.mechanism).toBe(mechanismOids.krb5)
  })

  test('an acceptor that answers krb5 under Microsoft’s identifier is not taken to prefer another (Samba)', async () => {
    const krb5 = fakeMechanism({ oid: mechanismOids.krb5, aliases: [mechanismOids.krb5Microsoft] })
    const handshake = initiate([krb5])
    await step(handshake)
    const answer = { supportedMech: mechanismOids.krb5Microsoft, responseToken: await said(krb5, 2) }
    const { context } = await step(handshake, response({ negState: 'acceptCompleted', ...answer }))
    expect(context?.mechanism).toBe(mechanismOids.krb5)
  })

  test('an acceptor that sends a token alone is taken to accept the first (Java)', async () => {
    const handshake = initiate([a(2)])
    await step(handshake)
    expect((await step(handshake, response({ responseToken: await said(a(2), 2) }))).context).toBeDefined()
  })

  test('a MIC that repeats the token is none (Windows 2000)', async () => {
    const handshake = initiate([a(2)])
    await step(handshake)
    const responseToken = await said(a(2), 2)
    const answer = { negState: 'acceptCompleted', supportedMech: A, responseToken, mechListMIC: responseToken } as const
    expect((await step(handshake, response(answer))).context).toBeDefined()
  })

  test.each([
    ['RFC 2478’s', '0302017e'],
    ['32 bits of', '03050000000000'],
    ['mistaken', '0500'],
  ])('%s reqFlags are ignored', async (_, hex) => {
    const first = init([A], { reqFlags: fromHex(hex), mechToken: await said(a(), 1) })
    expect((await step(accept([a()]), first)).context).toBeDefined()
  })

  test('a mechanism’s own tokens are answered in kind, without SPNEGO', async () => {
    const handshake = accept([b(), a(3)])
    const first = await step(handshake, await said(a(3), 1))
    expect(first).toMatchObject({ token: await said(a(3), 2), context: undefined })
    const last = await step(handshake, await said(a(3), 3))
    expect(last.token).toBeUndefined()
    expect(last.context?.mechanism).toBe(A)
  })

  test('an acceptor that is asked to speaks first, with hints (MS-SPNG §3.2.5.2)', async () => {
    const acceptor = accept([a(), b()])
    const hints = (await step(acceptor)).token!
    expect(new TextDecoder().decode(hints)).toContain('not_defined_in_RFC4178@please_ignore')
    const initiator = initiate([a()])
    const { token } = await step(initiator, hints)
    expect((await step(acceptor, token)).context).toBeDefined()
    await expect(step(initiate([fakeMechanism({ oid: '1.3.9' })]), hints)).rejects.toThrow(`speaks ${A}, ${B} alone`)
  })

  test('a list without a token is answered without one', async () => {
    const handshake = accept([a()])
    expect(message((await step(handshake, init([A]))).token!)).toEqual({
      kind: 'negTokenResp',
      negState: 'acceptIncomplete',
      supportedMech: A,
    })
    expect((await step(handshake, response({ responseToken: await said(a(), 1) }))).context).toBeDefined()
  })
})

describe('what cannot be begun is not offered', () => {
  test('the next mechanism takes its place', async () => {
    const cannotInitiate = new GssError('GSS_S_NO_CRED', 'no ticket')
    const { tokens } = await negotiate([a(2, { cannotInitiate }), b()], [b()])
    expect(message(tokens[0]!)).toMatchObject({ mechTypes: { value: [B] } })
  })

  test('when none can be begun, the first says why', async () => {
    const cannotInitiate = new GssError('GSS_S_NO_CRED', 'no ticket')
    await expect(step(initiate([a(2, { cannotInitiate })]))).rejects.toBe(cannotInitiate)
  })

  test('what has no credentials is neither offered nor accepted', async () => {
    const credentials = fakeCredentials([b()])
    const target = Name.hostbased('HTTP@www')
    const initiator = spnego([a(), b()]).initiate({ target, credentials, flags: new Set() })
    expect(message((await step(initiator)).token!)).toMatchObject({ mechTypes: { value: [B] } })
    const acceptor = spnego([a(), b()]).accept({ credentials })
    expect(message((await step(acceptor, init([A, B]))).token!)).toMatchObject({ supportedMech: B })
    expect(() => spnego([a()]).accept({ credentials })).toThrow(/GSS_S_NO_CRED: no credentials for A/)
  })
})

describe('credentials say what may be negotiated (RFC 4178 §A.1)', () => {
  const credentials = (mechs: readonly string[]) => {
    const set = fakeCredentials([a(), b()])
    set.setNegMechs(mechs)
    return set
  }
  const offer = async (mechs: readonly string[]) => {
    const request = {
      target: Name.hostbased('HTTP@acceptor'),
      credentials: credentials(mechs),
      flags: new Set<never>(),
    }
    const { token } = await step(spnego<NoQuestions>([a(), b()]).initiate(request))
    const sent = message(token!)
    return sent.kind === 'negTokenInit' ? sent.mechTypes.value : expect.unreachable()
  }

  test('and in which order', async () => {
    expect(await offer([B, A])).toEqual([B, A])
    expect(await offer([B])).toEqual([B])
  })

  test('for acceptors, too', async () => {
    const acceptor = spnego<NoQuestions>([a(), b()]).accept({ credentials: credentials([B]) })
    const { token } = await step(acceptor, init([A, B]))
    expect(message(token!)).toMatchObject({ negState: 'requestMic', supportedMech: B })
  })

  test('and nothing else will do', () => {
    expect(() => spnego<NoQuestions>([a(), b()]).accept({ credentials: credentials(['1.2.3']) })).toThrow(
      /none was set/,
    )
    expect(() => credentials([])).toThrow('GSS_S_BAD_MECH')
  })
})

describe('refusals name their reason, and tell the initiator', () => {
  const refused = async (token: Uint8Array, mechanisms: readonly Fake[] = [a()]) =>
    await step(accept(mechanisms), token).then(
      () => expect.unreachable(),
      (error: GssError) => error,
    )

  test('no mechanism in common', async () => {
    const error = await refused(init([mechanismOids.iakerb, '1.3.9']))
    expect(error).toMatchObject({ major: 'GSS_S_BAD_MECH' })
    expect(error.message).toContain('the initiator offers iakerb, 1.3.9, and we accept A')
    expect(message(error.token!)).toEqual({ kind: 'negTokenResp', negState: 'reject' })
  })

  test('an empty list', async () => expect((await refused(init([]))).message).toContain('offers no mechanism'))

  test('a list without end', async () =>
    expect((await refused(init(Array.from({ length: 65 }, (_, i) => `1.3.9.${i}`)))).message).toContain(
      '65 mechanisms',
    ))

  test.each<[string, Uint8Array]>([
    ['alone', utf8('NTLMSSP\0\x01\0\0\0')],
    ['as the only mechanism', init([mechanismOids.ntlmssp], { mechToken: utf8('NTLMSSP\0') })],
    ['framed', frame(mechanismOids.ntlmssp, utf8('NTLMSSP\0'))],
    ['under the name of another mechanism', init([A, mechanismOids.ntlmssp], { mechToken: utf8('NTLMSSP\0\x01') })],
  ])('NTLM %s is named, with what to look at', async (_, token) => {
    const error = await refused(token)
    expect(error.major).toBe('GSS_S_BAD_MECH')
    expect(error.message).toMatch(/(NTLM|ntlmssp).*check that the SPN/)
    expect(error.minor).toBe('NTLM')
  })

  test('the mechanism’s own refusal goes out within SPNEGO’s', async () => {
    const refuses = new GssError('GSS_S_DUPLICATE_TOKEN', 'seen before', { minor: 'REPEAT', token: utf8('why') })
    const error = await refused(init([A], { mechToken: await said(a(), 1) }), [a(2, { refuses })])
    expect(error).toMatchObject({ major: 'GSS_S_DUPLICATE_TOKEN', minor: 'REPEAT', cause: refuses })
    expect(error.message).toBe('GSS_S_DUPLICATE_TOKEN: seen before')
    expect(message(error.token!)).toEqual({
      kind: 'negTokenResp',
      negState: 'reject',
      supportedMech: A,
      responseToken: utf8('why'),
    })
  })

  test('without SPNEGO it goes out as it is', async () => {
    const refuses = new GssError('GSS_S_FAILURE', 'no', { token: utf8('why') })
    expect(await refused(await said(a(), 1), [a(2, { refuses })])).toBe(refuses)
  })

  test.each<[string, Uint8Array]>([
    ['a response', response({ negState: 'acceptIncomplete' })],
    [
      'a message without a frame',
      encode(NegotiationToken, {
        kind: 'negTokenInit',
        value: { mechTypes: { value: [A], der: encode(MechTypeList, [A]) } },
      }),
    ],
    ['a framed response', frame(mechanismOids.spnego, response({ negState: 'acceptIncomplete' }))],
    ['a frame and an octet more', Uint8Array.of(...init([A]), 0)],
    ['text', utf8('GET / HTTP/1.1')],
    [
      'hints',
      frame(
        mechanismOids.spnego,
        encode(AcceptorNegotiationToken, {
          kind: 'negTokenInit2',
          value: { mechTypes: { value: [A], der: encode(MechTypeList, [A]) }, negHints: { hintName: 'x' } },
        }),
      ),
    ],
    ['a megabyte', new Uint8Array(1_000_000).fill(0x60)],
  ])('%s is no first token', async (_, token) => expect((await refused(token)).major).toBe('GSS_S_DEFECTIVE_TOKEN'))

  test('an empty token is refused in the middle, and a second time at the start', async () => {
    const begun = accept([a(3)])
    await step(begun, init([A], { mechToken: await said(a(3), 1) }))
    await expect(step(begun, new Uint8Array())).rejects.toThrow(/empty token/)
    const waiting = accept([a()])
    await step(waiting, new Uint8Array())
    await expect(step(waiting, new Uint8Array())).rejects.toThrow(/empty token/)
    const initiator = initiate([a()])
    await step(initiator)
    await expect(step(initiator, new Uint8Array())).rejects.toThrow(/empty token/)
  })

  test('an initiator that gives up is taken at its word', async () => {
    const handshake = accept([a(3)])
    await step(handshake, init([A], { mechToken: await said(a(3), 1) }))
    await expect(step(handshake, response({ negState: 'reject' }))).rejects.toThrow(/gave up/)
  })

  test('peers that never come to an end are left', async () => {
    const handshake = accept([a(1000)])
    const other = initiate([a(1000)])
    const endless = async () => {
      let token: Uint8Array | undefined
      for (let i = 0; i < 1000; i++) {
        token = (await step(other, token)).token
        token = (await step(handshake, token)).token
      }
    }
    await expect(endless()).rejects.toThrow(/more than 32 messages/)
  })
})

describe('an initiator believes an acceptor only so far', () => {
  const answered = async (value: NegTokenResp, legs = 2) => {
    const handshake = initiate([a(legs)])
    await step(handshake)
    return step(handshake, response(value))
  }
  const token = () => said(a(), 2)

  test.each<[string, () => Promise<NegTokenResp>, RegExp]>([
    ['rejects', async () => ({ negState: 'reject' }), /rejects the negotiation \(offered: A\)/],
    ['rejects with a good token', async () => ({ negState: 'reject', responseToken: await token() }), /rejects/],
    ['rejects with a bad token', async () => ({ negState: 'reject', responseToken: utf8('x') }), /not leg 2 of A/],
    [
      'chooses what was not offered',
      async () => ({ negState: 'requestMic', supportedMech: mechanismOids.ntlmssp }),
      /chose ntlmssp, which was not offered/,
    ],
    ['is done too early', async () => ({ negState: 'acceptCompleted', supportedMech: A }), /sent no token of A/],
  ])('that %s', async (_, value, expected) => await expect(answered(await value())).rejects.toThrow(expected))

  test('that is done while the mechanism is not', async () =>
    await expect(
      answered({ negState: 'acceptCompleted', supportedMech: A, responseToken: await said(a(3), 2) }, 3),
    ).rejects.toThrow(/the acceptor is done, but A is not/))

  test('that sends a token after the last', async () =>
    await expect(
      answered({ negState: 'acceptCompleted', supportedMech: A, responseToken: utf8('x') }, 1),
    ).rejects.toThrow(/follows its last/))

  test('that waits for a token after the last', async () =>
    await expect(answered({ negState: 'acceptIncomplete', supportedMech: A }, 1)).rejects.toThrow(/has no more/))

  test('that begins the mechanism of its choice', async () => {
    const handshake = initiate([a(), b()])
    await step(handshake)
    const answer = { negState: 'requestMic', supportedMech: B, responseToken: utf8('x') } as const
    await expect(step(handshake, response(answer))).rejects.toThrow(/ours to begin/)
  })

  test('that proves the list before it can', async () =>
    await expect(answered({ responseToken: await said(a(4), 2), mechListMIC: utf8('1234') }, 4)).rejects.toThrow(
      /before the context/,
    ))
})
