/** RFC 4178 §7: what an adversary on the way can and cannot do. */
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { frame } from '../../src/gss/frame.ts'
import { GssError, mechanismOids } from '../../src/gss/index.ts'
import { MechTypeList, NegotiationToken, type NegTokenInit, type NegTokenResp } from '../../src/spnego/messages.ts'
import { fakeMechanism } from './fake.ts'
import { accept, type Fake, initiate, message, negotiate, step } from './session.ts'

const A = '1.3.6.1.4.1.1.1'
const B = '1.3.6.1.4.1.1.2'

/** Field by field, what may be changed without either side noticing, and why that is so. */
const unprotected: Readonly<Record<string, readonly string[]>> = {
  // Without a MIC, the end of the list is nobody's concern: the first mechanism was taken all the same. An initiator
  // that is not told the choice takes it to be its first, and the mechanism's token proves that it was; and after the
  // mechanism's last token, nothing hangs on whether the acceptor calls itself complete (§5 b III).
  'the preferred mechanism': ['mechTypes', 'supportedMech', 'negState'],
  // The list is proved; the optimistic token is not looked at; the wish for a MIC is the initiator's own as well.
  'another mechanism': ['mechToken', 'negState'],
}

const sessions = Object.keys(unprotected).flatMap((choice) => [1, 2, 3].map((legs) => ({ choice, legs })))
const sides = (choice: string, legs: number): [Fake[], Fake[]] =>
  choice === 'another mechanism'
    ? [[fakeMechanism({ oid: A }), fakeMechanism({ oid: B, legs })], [fakeMechanism({ oid: B, legs })]]
    : [[fakeMechanism({ oid: A, legs }), fakeMechanism({ oid: B })], [fakeMechanism({ oid: A, legs })]]

/** The session with one token replaced; undefined when a side noticed. */
async function survives(choice: string, legs: number, index: number, altered: Uint8Array) {
  try {
    return await negotiate(...sides(choice, legs), (token, at) => (at === index ? altered : token))
  } catch (error) {
    expect(error).toBeInstanceOf(GssError)
    return undefined
  }
}

describe.each(sessions)('in a negotiation of $choice with $legs legs', ({ choice, legs }) => {
  test('a flipped bit is noticed, or changes nothing that is protected', async () => {
    const { tokens } = await negotiate(...sides(choice, legs))
    const mechanism = choice === 'another mechanism' ? B : A
    for (const [index, token] of tokens.entries())
      for (let bit = 0; bit < token.length * 8; bit++) {
        const altered = token.slice()
        altered[bit >> 3]! ^= 1 << (bit & 7)
        const session = await survives(choice, legs, index, altered)
        if (!session) continue
        const [before, after] = [message(token), message(altered)].map((fields) => new Map(Object.entries(fields)))
        const changed = [...before!.keys()].filter((key) => String(json(before!.get(key))) !== json(after!.get(key)))
        expect(unprotected[choice], `token ${index}, bit ${bit}`).toEqual(expect.arrayContaining(changed))
        expect([session.initiator?.mechanism, session.acceptor?.mechanism]).toEqual([mechanism, mechanism])
      }
  })

  test('a token that is cut short is noticed', async () => {
    const { tokens } = await negotiate(...sides(choice, legs))
    for (const [index, token] of tokens.entries())
      for (let size = 0; size < token.length; size++)
        expect(
          await survives(choice, legs, index, token.subarray(0, size)),
          `${size} of token ${index}`,
        ).toBeUndefined()
  })
})

const json = (value: unknown) => JSON.stringify(value) ?? 'absent'

describe('a downgrade (RFC 4178 §7)', () => {
  const stripped = tokenOf({ value: [B], der: encode(MechTypeList, [B]) })
  const response = (value: NegTokenResp) => encode(NegotiationToken, { kind: 'negTokenResp', value })

  test('by taking the better mechanism out of the list is noticed by both', async () => {
    const [initiator, acceptor] = [
      initiate([fakeMechanism({ oid: A }), fakeMechanism({ oid: B, legs: 3 })]),
      accept([fakeMechanism({ oid: A }), fakeMechanism({ oid: B, legs: 3 })]),
    ]
    await step(initiator)
    const first = await step(acceptor, stripped)
    // The acceptor, which sees nothing wrong, asks for no proof; the initiator demands one all the same.
    expect(message(first.token!)).toMatchObject({ negState: 'acceptIncomplete', supportedMech: B })
    const second = await step(initiator, first.token)
    const third = await step(acceptor, second.token)
    const fourth = await step(initiator, third.token)
    expect(message(fourth.token!)).toHaveProperty('mechListMIC')
    await expect(step(acceptor, fourth.token)).rejects.toThrow(/list of mechanisms was altered/)
  })

  test('is noticed by the initiator when the acceptor sends the last token', async () => {
    const initiator = initiate([fakeMechanism({ oid: A }), fakeMechanism({ oid: B })])
    const acceptor = accept([fakeMechanism({ oid: B })])
    await step(initiator)
    const second = await step(initiator, (await step(acceptor, stripped)).token)
    const third = await step(acceptor, second.token)
    expect(third.context).toBeDefined()
    await expect(step(initiator, third.token)).rejects.toThrow(/MIC of the list of mechanisms is required, and missing/)
  })

  test('by answering in the acceptor’s name gets no further than its proof', async () => {
    const initiator = initiate([fakeMechanism({ oid: A }), fakeMechanism({ oid: B })])
    await step(initiator)
    const { token } = await step(initiator, response({ negState: 'acceptIncomplete', supportedMech: B }))
    const acceptor = accept([fakeMechanism({ oid: B })])
    await step(acceptor, stripped)
    const { token: last } = await step(acceptor, token)
    await expect(step(initiator, last)).rejects.toThrow(/missing/)
  })

  function tokenOf(mechTypes: NegTokenInit['mechTypes']): Uint8Array {
    return frame(mechanismOids.spnego, encode(NegotiationToken, { kind: 'negTokenInit', value: { mechTypes } }))
  }
})
