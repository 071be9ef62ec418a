/** Every way of proving who one is, our client against our KDC: RFC 4120 §5.2.7, RFC 6113, RFC 6560, RFC 9588. */
import { describe, expect, test } from 'vitest'
import { encryptedChallenge } from '../../src/krb5/preauth/challenge/client.ts'
import { encryptedChallengeKdc } from '../../src/krb5/preauth/challenge/kdc.ts'
import { otp } from '../../src/krb5/preauth/otp/client.ts'
import { otpKdc } from '../../src/krb5/preauth/otp/kdc.ts'
import { spake } from '../../src/krb5/preauth/spake/client.ts'
import { spakeGroups } from '../../src/krb5/preauth/spake/groups.ts'
import { spakeKdc } from '../../src/krb5/preauth/spake/kdc.ts'
import { encryptedTimestamp } from '../../src/krb5/preauth/timestamp/client.ts'
import { encryptedTimestampKdc } from '../../src/krb5/preauth/timestamp/kdc.ts'
import { testRealm } from '../support/logins.ts'

const codes = (realm: ReturnType<typeof testRealm>) => realm.events.map(({ outcome }) => outcome)

describe('outside of FAST', () => {
  test('encrypted timestamp', async () => {
    const realm = testRealm({ preauth: [encryptedTimestampKdc] })
    const { credential, preauthType, fastAvailable, armored } = await realm.login('alice')
    expect([preauthType, fastAvailable, armored]).toEqual([2, true, false])
    expect([...credential.flags]).toContain('preAuthent')
    await expect(realm.login('alice', { password: 'wrong' })).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
    expect(codes(realm)).toEqual([
      'KDC_ERR_PREAUTH_REQUIRED',
      'issued',
      'KDC_ERR_PREAUTH_REQUIRED',
      'KDC_ERR_PREAUTH_FAILED',
    ])
  })

  test.each(spakeGroups.map((group) => [group.name, group] as const))('SPAKE in %s', async (_, group) => {
    const realm = testRealm({ preauth: [spakeKdc({ groups: [group] })] })
    expect((await realm.login('alice')).preauthType).toBe(151)
    await expect(realm.login('alice', { password: 'wrong' })).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
    expect(codes(realm).slice(0, 3)).toEqual([
      'KDC_ERR_PREAUTH_REQUIRED',
      'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED',
      'issued',
    ])
  })

  test('SPAKE with a challenge in the first answer takes a round less', async () => {
    const [, group] = spakeGroups
    const realm = testRealm({ preauth: [spakeKdc({ challengeGroup: group! })] })
    await realm.login('alice')
    expect(codes(realm)).toEqual(['KDC_ERR_PREAUTH_REQUIRED', 'issued'])
  })

  test('SPAKE with a challenge in a group that the client does not take falls back to another', async () => {
    const [first, second] = spakeGroups
    const realm = testRealm({ preauth: [spakeKdc({ challengeGroup: second! })] })
    await realm.login('alice', { preauth: [spake([first!])] })
    expect(codes(realm)).toEqual(['KDC_ERR_PREAUTH_REQUIRED', 'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED', 'issued'])
  })

  test('SPAKE on chance takes a round less', async () => {
    const realm = testRealm({ preauth: [spakeKdc()] })
    await realm.login('alice', { preauth: [spake()], onChance: true })
    expect(codes(realm)).toEqual(['KDC_ERR_MORE_PREAUTH_DATA_REQUIRED', 'issued'])
  })

  test('a timestamp on chance takes one round, and the salt comes with the refusal of a wrong one', async () => {
    const realm = testRealm({ preauth: [encryptedTimestampKdc] })
    await realm.login('alice', { preauth: [encryptedTimestamp], onChance: true })
    expect(codes(realm)).toEqual(['issued'])
    await realm.login('al', { preauth: [encryptedTimestamp], onChance: true, password: 'alice-pw' })
    expect(codes(realm).slice(1)).toEqual(['KDC_ERR_PREAUTH_FAILED', 'KDC_ERR_PREAUTH_REQUIRED', 'issued'])
  })

  test('the order of the list decides, and what neither side has is left out', async () => {
    const realm = testRealm()
    expect((await realm.login('alice', { preauth: [encryptedTimestamp, spake()] })).preauthType).toBe(2)
    expect((await realm.login('alice', { preauth: [otp, spake(), encryptedTimestamp] })).preauthType).toBe(151)
    await expect(realm.login('alice', { preauth: [otp, encryptedChallenge] })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_REQUIRED',
    })
  })

  test('a client without a secret is told what is missing', async () =>
    expect(testRealm().login('alice', { secret: undefined })).rejects.toMatchObject({ code: 'NO_KEY' }))
})

describe('inside FAST', () => {
  test.each([
    ['encrypted challenge', encryptedChallengeKdc, 138],
    ['SPAKE', spakeKdc(), 151],
    ['encrypted timestamp', encryptedTimestampKdc, 2],
  ] as const)('%s', async (_, mechanism, type) => {
    const realm = testRealm({ preauth: [encryptedTimestampKdc, encryptedChallengeKdc, spakeKdc()] })
    const armor = await realm.armor()
    const inner = testRealm({ preauth: [mechanism], database: realm.database })
    expect(await inner.login('alice', { armor })).toMatchObject({
      preauthType: type,
      armored: true,
      fastAvailable: true,
    })
    await expect(inner.login('alice', { armor, password: 'wrong' })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test('an account that needs no proof gets its ticket at once', async () => {
    const realm = testRealm()
    realm.database.add('open', { password: 'open-pw', requiresPreauth: false })
    const armor = await realm.armor()
    expect(await realm.login('open', { armor })).toMatchObject({ preauthType: undefined, armored: true })
  })

  test("the client's name stays inside when it is to be hidden", async () => {
    const realm = testRealm()
    const armor = { ...(await realm.armor()), hideClientName: true }
    const from = realm.sent.length
    const { credential } = await realm.login('alice', { armor })
    expect(credential.client.components).toEqual(['alice'])
    for (const message of realm.sent.slice(from)) expect(Buffer.from(message).includes('alice')).toBe(false)
  })

  test('when available: a KDC that offers it is asked again inside', async () => {
    const realm = testRealm()
    const armor = { ...(await realm.armor()), policy: 'when available' } as const
    realm.events.length = 0
    expect(await realm.login('alice', { armor })).toMatchObject({ armored: true, preauthType: 138 })
    expect(codes(realm)).toEqual(['KDC_ERR_PREAUTH_REQUIRED', 'KDC_ERR_PREAUTH_REQUIRED', 'issued'])
  })

  test('the TGS sells tickets inside FAST', async () => {
    const realm = testRealm()
    const { credential: tgt } = await realm.login('alice')
    for (const fast of ['required', 'when available'] as const)
      expect((await realm.buy({ tgt, fast })).credential.server.components).toEqual(['HTTP', 'www'])
    const refused = realm.buy({ tgt, fast: 'required', options: ['renew'] })
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^K/), origin: 'peer' })
  })
})

describe('one-time passwords', () => {
  const otpRealm = (flags: ReadonlySet<'collectPin' | 'separatePinRequired'> = new Set()) =>
    testRealm({
      preauth: [
        otpKdc({
          tokens: ({ components }) => (components[0] === 'alice' ? [{ flags, vendor: 'ACME', length: 6 }] : undefined),
          verify: (_, value, pin) =>
            [value, pin].join('/') === (flags.has('separatePinRequired') ? '123456/0000' : '123456/'),
        }),
        encryptedTimestampKdc,
        spakeKdc(),
      ],
    })

  test('the user is asked, and the ticket says that a device was there', async () => {
    const realm = otpRealm()
    realm.answers.push('123456')
    const armor = await realm.armor()
    const { credential, preauthType } = await realm.login('alice', { preauth: [otp], armor, secret: undefined })
    expect(preauthType).toBe(141)
    expect([...credential.flags]).toEqual(expect.arrayContaining(['preAuthent', 'hwAuthent']))
    expect(realm.prompts).toEqual([{ kind: 'otp', text: 'One-time password of alice@LAB.TEST (ACME): ' }])
  })

  test('a wrong one is refused, and nothing else is tried', async () => {
    const realm = otpRealm()
    const armor = await realm.armor()
    realm.answers.push('654321')
    await expect(realm.login('alice', { preauth: [otp, spake()], armor })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test('a PIN is asked for and sent apart when the KDC wants it so', async () => {
    const realm = otpRealm(new Set(['collectPin', 'separatePinRequired']))
    const armor = await realm.armor()
    realm.answers.push('0000', '123456')
    await realm.login('alice', { preauth: [otp], armor, secret: undefined })
    expect(realm.prompts.map(({ kind }) => kind)).toEqual(['pin', 'otp'])
  })

  test('nobody is asked outside of FAST', async () => {
    const realm = otpRealm()
    await expect(realm.login('alice', { preauth: [otp] })).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_REQUIRED' })
    expect(realm.prompts).toEqual([])
  })
})
