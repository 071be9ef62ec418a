/** A KDC whose proofs are false: each login ends with a typed error, soon, and without growing (RFC 4556, RFC 9588). */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { fromHex } from '../../src/bytes/index.ts'
import { MODP_2048 } from '../../src/crypto/groups/modptable.ts'
import { MethodData } from '../../src/krb5/messages/basics.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { BigInteger } from '../../src/krb5/messages/pkinit.ts'
import { PaSpake, type SpakeChallenge } from '../../src/krb5/messages/spake.ts'
import { pkinitGroups } from '../../src/krb5/preauth/pkinit/agreements.ts'
import { spake } from '../../src/krb5/preauth/spake/client.ts'
import { spakeGroups } from '../../src/krb5/preauth/spake/groups.ts'
import { spakeKdc } from '../../src/krb5/preauth/spake/kdc.ts'
import { type Suffered, suffer } from '../support/hostile.ts'
import { testRealm } from '../support/logins.ts'
import { logIn, pkinitRealm } from '../support/pkinit.ts'
import { changedReply, offeringGroup2, publicValue, resigned, unsigned } from '../support/pkinitlies.ts'

/** What an attack may cost: far below a user's patience, far above what these take. */
const SECONDS = 3
const MEBIBYTES = 64

function expectRefused({ error, seconds, mebibytes }: Suffered, code: string) {
  expect(error).toMatchObject({ name: 'KrbError', code })
  expect(seconds).toBeLessThan(SECONDS)
  expect(mebibytes).toBeLessThan(MEBIBYTES)
}

/** Octets that are no point of a curve whose coordinates have so many. */
const points = (size: number): readonly Uint8Array[] => [
  Uint8Array.of(4, ...new Uint8Array(2 * size).fill(5)),
  Uint8Array.of(2, ...new Uint8Array(size).fill(0xff)),
  Uint8Array.of(0),
  new Uint8Array(0),
  new Uint8Array(100_000).fill(4),
]

describe('PKINIT', () => {
  test('a weak Diffie-Hellman group, as the only one that the KDC takes', async () => {
    const realm = pkinitRealm({ groups: pkinitGroups.filter(({ name }) => name === 'P-384') })
    const suffered = await suffer(() => logIn({ ...realm, change: offeringGroup2() }))
    expectRefused(suffered, 'KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED')
  })

  test('an unsigned reply', async () => {
    expectRefused(await suffer(() => logIn({ ...pkinitRealm(), change: unsigned })), 'KDC_ERR_INVALID_SIG')
  })

  test.each(['P-256', 'P-384', 'P-521'])('invalid points of the curve %s', async (name) => {
    const groups = pkinitGroups.filter((group) => group.name === name)
    for (const octets of points(Math.ceil(Number(name.slice(2)) / 8))) {
      const change = resigned(publicValue(octets))
      expectRefused(await suffer(() => logIn({ ...pkinitRealm(), change }, { groups })), 'REPLY_MODIFIED')
    }
  })

  test.each<[string, bigint, string]>([
    ['0', 0n, 'REPLY_MODIFIED'],
    ['p - 1', MODP_2048 - 1n, 'REPLY_MODIFIED'],
    ['p', MODP_2048, 'REPLY_MODIFIED'],
    ['2^65536', 1n << 65_536n, 'REPLY_MALFORMED'],
  ])('a public value of %s', async (_, value, code) => {
    const change = resigned(publicValue(encode(BigInteger, value)))
    expectRefused(await suffer(() => logIn({ ...pkinitRealm(), change })), code)
  })

  test('a reply of a mebibyte of nothing', async () => {
    const { error, seconds, mebibytes } = await suffer(() =>
      logIn({ ...pkinitRealm(), change: changedReply(() => new Uint8Array(2 ** 20)) }),
    )
    expect(error).toMatchObject({ name: 'KrbError' })
    expect(seconds).toBeLessThan(SECONDS)
    expect(mebibytes).toBeLessThan(MEBIBYTES)
  })
})

describe('SPAKE', () => {
  /** Logs in where every challenge of the KDC is changed. */
  const login = (at: number, change: (challenge: SpakeChallenge) => SpakeChallenge) => {
    const group = spakeGroups[at]!
    const realm = testRealm({ preauth: [spakeKdc({ groups: [group] })] })
    const answer = (message: Uint8Array) => {
      if (message[0] !== 0x7e) return message
      const error = decode(KrbErrorMessage, message)
      const padata = decode(MethodData, error.eData!).map((each) => {
        if (each.padataType !== paTypes.spake || each.padataValue.length === 0) return each
        const said = decode(PaSpake, each.padataValue)
        if (said.kind !== 'challenge') return each
        return { ...each, padataValue: encode(PaSpake, { kind: 'challenge', value: change(said.value) }) }
      })
      return encode(KrbErrorMessage, { ...error, eData: encode(MethodData, padata) })
    }
    return suffer(() => realm.login('alice', { preauth: [spake([group])] }, { answer }))
  }

  test('invalid points of edwards25519: no point, the identity, one of order 8', async () => {
    for (const hex of [
      `02${'00'.repeat(31)}`,
      `01${'00'.repeat(31)}`,
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '',
      '04'.repeat(100_000),
    ])
      expectRefused(await login(0, (challenge) => ({ ...challenge, pubkey: fromHex(hex) })), 'REPLY_MALFORMED')
  })

  test.each([1, 2, 3])('invalid points of a NIST curve: group %#', async (at) => {
    const size = spakeGroups[at]!.m.length - 1
    for (const pubkey of points(size))
      expectRefused(await login(at, (challenge) => ({ ...challenge, pubkey })), 'REPLY_MALFORMED')
  })

  test('a group that was not offered', async () => {
    expectRefused(await login(0, (challenge) => ({ ...challenge, group: 4 })), 'REPLY_MALFORMED')
  })
})
