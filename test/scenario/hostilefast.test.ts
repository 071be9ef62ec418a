/** A KDC, or somebody on the way to it, that undoes FAST: RFC 6113 §5.4.3, §7. Each login ends with a typed error, soon. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { AsRep, type KdcRep } from '../../src/krb5/messages/kdc.ts'
import { encryptedChallenge } from '../../src/krb5/preauth/challenge/client.ts'
import { suffer } from '../support/hostile.ts'
import { testRealm } from '../support/logins.ts'
import { krbError } from '../support/scriptedkdc.ts'

/** What an attack may cost: far below a user's patience, far above what these take. */
const SECONDS = 3
const MEBIBYTES = 64
const AS_REP = 0x6b

/** Logs alice in through FAST; what `change` makes of the AS-REP comes in its place. */
async function login(change: (reply: KdcRep) => KdcRep) {
  const realm = testRealm()
  const armor = await realm.armor()
  const answer = (message: Uint8Array) =>
    message[0] === AS_REP ? encode(AsRep, change(decode(AsRep, message))) : message
  return suffer(() => realm.login('alice', { armor, preauth: [encryptedChallenge] }, { answer }))
}

const fastOnly = (padata: KdcRep['padata'], change: (value: Uint8Array) => Uint8Array) =>
  padata!.map((each) =>
    each.padataType === paTypes.fxFast ? { ...each, padataValue: change(each.padataValue) } : each,
  )

describe('a reply to a request through FAST', () => {
  test('that nobody falsified is taken', async () => expect((await login((reply) => reply)).error).toBeUndefined())

  test.each<[string, (reply: KdcRep) => KdcRep]>([
    ['without FAST, hence without the key that strengthens it', ({ padata, ...reply }) => reply],
    [
      'with a FAST response of nothing',
      (reply) => ({ ...reply, padata: fastOnly(reply.padata, () => new Uint8Array(0)) }),
    ],
    [
      'with a FAST response that was changed',
      (reply) => ({
        ...reply,
        padata: fastOnly(reply.padata, (value) =>
          value.map((octet, i) => (i === value.length - 1 ? octet ^ 1 : octet)),
        ),
      }),
    ],
    ['with the ticket of somebody else', (reply) => ({ ...reply, ticket: { ...reply.ticket, realm: 'EVIL.TEST' } })],
  ])('%s is refused', async (_, change) => {
    const { error, seconds, mebibytes } = await login(change)
    expect(error).toMatchObject({ name: 'KrbError' })
    expect(seconds).toBeLessThan(SECONDS)
    expect(mebibytes).toBeLessThan(MEBIBYTES)
  })

  test('that is an error in the clear, of every round', async () => {
    const realm = testRealm()
    const armor = await realm.armor()
    for (const code of [24, 25, 37, 91]) {
      const answer = () => krbError({ code })
      const { error, seconds } = await suffer(() =>
        realm.login('alice', { armor, preauth: [encryptedChallenge] }, { answer }),
      )
      expect(error).toMatchObject({ name: 'KrbError' })
      expect(seconds).toBeLessThan(SECONDS)
    }
  })
})
