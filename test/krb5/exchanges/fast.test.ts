/** What a client must notice of FAST in a KDC's replies (RFC 6113 §5.4.3, §5.4.4), and a KDC in requests (§5.4.2). */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { utf8 } from '../../../src/bytes/index.ts'
import { enctypeById } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { Tunnel } from '../../../src/kdc/fast.ts'
import type { Env } from '../../../src/krb5/env.ts'
import { FastChannel, strengthened } from '../../../src/krb5/exchanges/fastchannel.ts'
import { ApReq } from '../../../src/krb5/messages/ap.ts'
import { MethodData, type PaData } from '../../../src/krb5/messages/basics.ts'
import { paTypes } from '../../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../../src/krb5/messages/error.ts'
import {
  type KrbFastArmoredReq,
  type KrbFastReq,
  type KrbFastResponse,
  PaFxFastRequest,
} from '../../../src/krb5/messages/fast.ts'
import { AsRep, AsReq, type KdcReq, KdcReqBody, TgsRep, TgsReq } from '../../../src/krb5/messages/kdc.ts'
import { encryptedChallenge } from '../../../src/krb5/preauth/challenge/client.ts'
import { spake } from '../../../src/krb5/preauth/spake/client.ts'
import { encryptedTimestamp } from '../../../src/krb5/preauth/timestamp/client.ts'
import { encryptedTimestampKdc } from '../../../src/krb5/preauth/timestamp/kdc.ts'
import {
  sealedAsRep,
  sealedAuthenticator,
  sealedTgsAuthenticator,
  sealedTgsRepSubkey,
} from '../../../src/krb5/sealed.ts'
import { fixedEnv } from '../../support/env.ts'
import { TIME, testRealm } from '../../support/logins.ts'

const find = (padata: readonly PaData[] = []) => padata.find(({ padataType }) => padataType === paTypes.fxFast)

/** The tunnel of whoever has the session key of the armor. */
function tapped(sessionKey: Key) {
  let channel: FastChannel | undefined
  return {
    /** Learns the armor key from the request that goes by. */
    learn(message: Uint8Array) {
      const fast = find(decode(AsReq, message).padata)!
      const { armor } = decode(PaFxFastRequest, fast.padataValue).value
      const { authenticator } = decode(ApReq, armor!.armorValue)
      const { subkey } = sealedAuthenticator.open(sessionKey, authenticator)
      channel = new FastChannel(new Key(sessionKey.enctype, subkey!.keyvalue), sessionKey)
      return message
    },
    open: (padataValue: Uint8Array) => channel!.openResponse(padataValue),
    seal: (response: KrbFastResponse, env: Env) => channel!.sealResponse(response, env),
  }
}

/** Somebody who holds the host's ticket, and can so change what is inside FAST. */
async function insider() {
  const realm = testRealm()
  const armor = await realm.armor()
  const channel = tapped(armor.ticket.key)
  const request = channel.learn
  const changed = (padata: readonly PaData[], change: (response: KrbFastResponse) => KrbFastResponse) => {
    const fast = find(padata)!
    const response = channel.open(fast.padataValue)
    return padata.map((each) => (each === fast ? channel.seal(change(response), realm.env) : each))
  }
  const login = (change: (response: KrbFastResponse) => KrbFastResponse, which: 'reply' | 'error') =>
    realm.login(
      'alice',
      { armor, preauth: [encryptedChallenge] },
      {
        request,
        answer(message) {
          if (message[0] === 0x6b) {
            const reply = decode(AsRep, message)
            return which === 'reply' ? encode(AsRep, { ...reply, padata: changed(reply.padata!, change) }) : message
          }
          const error = decode(KrbErrorMessage, message)
          const padata = decode(MethodData, error.eData!)
          return which === 'error'
            ? encode(KrbErrorMessage, { ...error, eData: encode(MethodData, changed(padata, change)) })
            : message
        },
      },
    )
  return { realm, armor, login }
}

describe('a reply inside FAST', () => {
  const lies: readonly (readonly [string, (response: KrbFastResponse) => KrbFastResponse, object])[] = [
    ['with another nonce', (response) => ({ ...response, nonce: response.nonce ^ 1 }), { code: 'REPLY_MODIFIED' }],
    ['without its end', ({ finished: _, ...response }) => response, { code: 'REPLY_MODIFIED' }],
    [
      'with the checksum of another ticket',
      ({ finished, ...response }) => {
        const checksum = finished!.ticketChecksum.checksum.map((octet) => octet ^ 1)
        return { ...response, finished: { ...finished!, ticketChecksum: { ...finished!.ticketChecksum, checksum } } }
      },
      { code: 'KRB_AP_ERR_MODIFIED' },
    ],
    [
      'with an unkeyed checksum of the ticket',
      ({ finished, ...response }) => ({
        ...response,
        finished: { ...finished!, ticketChecksum: { cksumtype: 7, checksum: new Uint8Array(16) } },
      }),
      { code: 'KRB_AP_ERR_MODIFIED' },
    ],
    [
      'that names another client',
      ({ finished, ...response }) => ({
        ...response,
        finished: { ...finished!, cname: { nameType: 1, nameString: ['bob'] } },
      }),
      { code: 'REPLY_MODIFIED' },
    ],
    [
      'without the strengthening key that it was sealed with',
      ({ strengthenKey: _, ...response }) => response,
      { code: 'KRB_AP_ERR_BAD_INTEGRITY' },
    ],
    [
      "without the KDC's own challenge",
      (response) => ({
        ...response,
        padata: response.padata.filter(({ padataType }) => padataType !== paTypes.encryptedChallenge),
      }),
      { code: 'REPLY_MODIFIED' },
    ],
  ]
  test.each(lies)('%s is refused', async (_, change, error) => {
    const { login } = await insider()
    await expect(login(change, 'reply')).rejects.toMatchObject(error)
  })
})

describe('a reply inside FAST of a KDC that strengthens no key, which RFC 6113 §5.4.3 leaves to it', () => {
  const unstrengthened = (response: KrbFastResponse) => {
    const { strengthenKey, ...rest } = response
    return { rest, key: new Key(enctypeById(strengthenKey!.keytype)!, strengthenKey!.keyvalue) }
  }

  test('is taken in the AS exchange, as from Heimdal 7: what proves the KDC is the key of the password', async () => {
    const realm = testRealm()
    const armor = await realm.armor()
    const channel = tapped(armor.ticket.key)
    const login = realm.login(
      'alice',
      { armor, preauth: [encryptedChallenge] },
      {
        request: channel.learn,
        answer(message) {
          if (message[0] !== 0x6b) return message
          const reply = decode(AsRep, message)
          const fast = find(reply.padata)!
          const { rest, key } = unstrengthened(channel.open(fast.padataValue))
          const own = Key.fromPassword(key.enctype, 'alice-pw', utf8('LAB.TESTalice'))
          // its proof that the request came as it was sent is made with the strengthened key: without it
          const { encryptedPaData: _, flags, ...part } = sealedAsRep.open(strengthened(key, own), reply.encPart)
          const bare = { ...part, flags: new Set([...flags].filter((flag) => flag !== 'encPaRep')) }
          return encode(AsRep, {
            ...reply,
            padata: [channel.seal(rest, realm.env)],
            encPart: sealedAsRep.seal(own, bare, realm.env),
          })
        },
      },
    )
    await expect(login).resolves.toMatchObject({ armored: true })
  })

  test('is refused in the TGS exchange: it could be the reply to a request outside of FAST', async () => {
    const realm = testRealm()
    const { credential: tgt } = await realm.login('alice')
    let channel: FastChannel | undefined
    let subkey: Key | undefined
    const bought = realm.buy(
      { tgt, fast: 'required' },
      {
        request(message) {
          const shown = decode(TgsReq, message).padata!.find(({ padataType }) => padataType === paTypes.tgsReq)!
          const opened = sealedTgsAuthenticator.open(tgt.key, decode(ApReq, shown.padataValue).authenticator)
          subkey = new Key(tgt.key.enctype, opened.subkey!.keyvalue)
          channel = new FastChannel(subkey, tgt.key)
          return message
        },
        answer(message) {
          const reply = decode(TgsRep, message)
          const { rest, key } = unstrengthened(channel!.openResponse(find(reply.padata)!.padataValue))
          const part = sealedTgsRepSubkey.open(strengthened(key, subkey!), reply.encPart)
          return encode(TgsRep, {
            ...reply,
            padata: [channel!.sealResponse(rest, realm.env)],
            encPart: sealedTgsRepSubkey.seal(subkey!, part, realm.env),
          })
        },
      },
    )
    await expect(bought).rejects.toMatchObject({ code: 'REPLY_MODIFIED' })
  })
})

describe('an error inside FAST', () => {
  test('with another nonce is refused', async () => {
    const { login } = await insider()
    await expect(login((response) => ({ ...response, nonce: response.nonce ^ 1 }), 'error')).rejects.toMatchObject({
      code: 'REPLY_MODIFIED',
    })
  })
  test('that holds no error is refused', async () => {
    const { login } = await insider()
    const without = ({ padata, ...response }: KrbFastResponse) => ({
      ...response,
      padata: padata.filter(({ padataType }) => padataType !== paTypes.fxError),
    })
    await expect(login(without, 'error')).rejects.toMatchObject({ code: 'REPLY_MODIFIED' })
  })
})

describe('what comes outside of FAST', () => {
  test('a ticket is refused', async () => {
    const { realm, armor } = await insider()
    realm.database.add('open', { password: 'open-pw', requiresPreauth: false })
    const answer = (message: Uint8Array) => encode(AsRep, { ...decode(AsRep, message), padata: [] })
    await expect(realm.login('open', { armor }, { answer })).rejects.toMatchObject({ code: 'FAST_REQUIRED' })
  })

  test('an error ends the login, and does not steer it', async () => {
    const { realm, armor } = await insider()
    const from = realm.sent.length
    const answer = (message: Uint8Array) => {
      const { eData: _, ...error } = decode(KrbErrorMessage, message)
      return encode(KrbErrorMessage, error)
    }
    await expect(realm.login('alice', { armor }, { answer })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_REQUIRED',
    })
    expect(realm.sent.length - from).toBe(1)
  })

  test('an offer of FAST that was taken out on the way is missed in the end', async () => {
    const { realm, armor } = await insider()
    const answer = (message: Uint8Array) => {
      if (message[0] !== 0x7e) return message
      const error = decode(KrbErrorMessage, message)
      const padata = decode(MethodData, error.eData!).filter(({ padataType }) => padataType !== paTypes.fxFast)
      return encode(KrbErrorMessage, { ...error, eData: encode(MethodData, padata) })
    }
    const login = realm.login(
      'alice',
      { armor: { ...armor, policy: 'when available' }, preauth: [encryptedTimestamp] },
      { answer },
    )
    await expect(login).rejects.toMatchObject({ code: 'FAST_REQUIRED' })
  })

  test('a ticket of the TGS is refused, and cannot be opened without the tunnel either', async () => {
    const realm = testRealm()
    const { credential: tgt } = await realm.login('alice')
    const answer = (message: Uint8Array) => encode(TgsRep, { ...decode(TgsRep, message), padata: [] })
    await expect(realm.buy({ tgt, fast: 'required' }, { answer })).rejects.toMatchObject({ code: 'FAST_REQUIRED' })
    await expect(realm.buy({ tgt, fast: 'when available' }, { answer })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_MODIFIED',
    })
  })
})

describe('the KDC', () => {
  type Change = (request: KdcReq) => KdcReq
  const armored =
    (change: (value: KrbFastArmoredReq) => KrbFastArmoredReq): Change =>
    (request) => ({
      ...request,
      padata: request.padata!.map((each) =>
        each.padataType === paTypes.fxFast
          ? {
              ...each,
              padataValue: encode(PaFxFastRequest, {
                kind: 'armored',
                value: change(decode(PaFxFastRequest, each.padataValue).value),
              }),
            }
          : each,
      ),
    })
  const changes: readonly (readonly [string, Change, string])[] = [
    [
      'a body that the tunnel was not made for',
      ({ reqBody, ...rest }) => ({
        ...rest,
        reqBody: { value: reqBody.value, der: encode(KdcReqBody, { ...reqBody.value, till: 0 }) },
      }),
      'KRB_AP_ERR_MODIFIED',
    ],
    ['a login without armor', armored(({ armor: _, ...rest }) => rest), 'KDC_ERR_PREAUTH_FAILED'],
    [
      'armor of a type that nobody knows',
      armored((value) => ({ ...value, armor: { ...value.armor!, armorType: 2 } })),
      'KDC_ERR_PREAUTH_FAILED',
    ],
    [
      'armor that cannot be read',
      armored((value) => ({ ...value, armor: { ...value.armor!, armorValue: new Uint8Array(3) } })),
      'KRB_ERR_GENERIC',
    ],
  ]
  test.each(changes)('refuses %s', async (_, change, code) => {
    const realm = testRealm()
    const armor = await realm.armor()
    const request = (message: Uint8Array) => encode(AsReq, change(decode(AsReq, message)))
    await expect(realm.login('alice', { armor }, { request })).rejects.toMatchObject({ code, origin: 'peer' })
  })

  test('refuses armor that is no ticket-granting ticket', async () => {
    const realm = testRealm()
    const { ticket } = await realm.armor()
    const { credential } = await realm.buy({ tgt: ticket })
    const armor = { ticket: { ...credential, server: ticket.server } }
    await expect(realm.login('alice', { armor })).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
  })

  test('refuses critical options that it does not know', async () => {
    const realm = testRealm()
    const { ticket } = await realm.armor()
    using channel = new FastChannel(ticket.key, ticket.key)
    const value = encode(KdcReqBody, {
      kdcOptions: new Set<never>(),
      realm: 'LAB.TEST',
      till: 0,
      nonce: 1,
      etype: [18],
    })
    const body = { value: decode(KdcReqBody, value), der: value }
    const option = (fastOptions: KrbFastReq['fastOptions']) => () => {
      const { padataValue } = channel.sealRequest({ padata: [], body, fastOptions, signed: value }, realm.env)
      return new Tunnel(channel, decode(PaFxFastRequest, padataValue).value, value)
    }
    expect(option(new Set(['bit2']))).toThrow(/UNKNOWN_CRITICAL/)
    expect(option(new Set(['hideClientNames', 'bit17']))).not.toThrow()
  })
})

describe('the cookie', () => {
  const spoiled = (change: (cookie: PaData) => readonly PaData[]) => (message: Uint8Array) => {
    const { padata = [], ...rest } = decode(AsReq, message)
    const changed = padata.flatMap((each) => (each.padataType === paTypes.fxCookie ? change(each) : [each]))
    return encode(AsReq, { ...rest, padata: changed })
  }
  const cases: readonly (readonly [string, (cookie: PaData) => readonly PaData[]])[] = [
    ['missing', () => []],
    [
      'changed',
      (cookie) => [{ ...cookie, padataValue: cookie.padataValue.map((octet, i) => (i === 9 ? octet ^ 1 : octet)) }],
    ],
    ['huge', (cookie) => [{ ...cookie, padataValue: new Uint8Array(500_000) }]],
    ['empty', (cookie) => [{ ...cookie, padataValue: new Uint8Array(0) }]],
  ]
  test.each(cases)('%s: the proof that it belongs to is refused', async (_, change) => {
    const realm = testRealm()
    await expect(realm.login('alice', { preauth: [spake()] }, { request: spoiled(change) })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test('of another client is worth nothing', async () => {
    const realm = testRealm()
    realm.database.add('bob', { password: 'bob-pw' })
    let stolen: PaData | undefined
    const steal = spoiled((cookie) => {
      stolen = cookie
      return [cookie]
    })
    await realm.login('bob', { preauth: [spake()] }, { request: steal })
    await expect(
      realm.login('alice', { preauth: [spake()] }, { request: spoiled(() => [stolen!]) }),
    ).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
  })

  test('that is too old has the login start over, and not for ever', async () => {
    let time = TIME * 1e6
    const env = { ...fixedEnv(TIME), now: () => time }
    const realm = testRealm({ env })
    const request = (message: Uint8Array) => {
      time += 601e6
      return message
    }
    await expect(realm.login('alice', { preauth: [spake()] }, { request }, env)).rejects.toMatchObject({
      code: expect.stringMatching(/^KDC_ERR_PREAUTH_(EXPIRED|REQUIRED)$/),
    })
    expect(realm.events.map(({ outcome }) => outcome)).toContain('KDC_ERR_PREAUTH_EXPIRED')
    expect(realm.sent.length).toBeLessThanOrEqual(16)
  })

  test('of a KDC goes back as it came unless it is huge', async () => {
    for (const [size, expected] of [
      [60_000, 60_000],
      [70_000, undefined],
    ] as const) {
      const realm = testRealm({ preauth: [encryptedTimestampKdc] })
      const cookie = { padataType: paTypes.fxCookie, padataValue: new Uint8Array(size) }
      const answer = (message: Uint8Array) => {
        if (message[0] !== 0x7e) return message
        const error = decode(KrbErrorMessage, message)
        return encode(KrbErrorMessage, {
          ...error,
          eData: encode(MethodData, [...decode(MethodData, error.eData!), cookie]),
        })
      }
      await realm.login('alice', {}, { answer })
      const { padata = [] } = decode(AsReq, realm.sent.at(-1)!)
      expect(padata.find(({ padataType }) => padataType === paTypes.fxCookie)?.padataValue.length).toBe(expected)
    }
  })
})

test('a KDC that never has enough is left after sixteen requests', async () => {
  const realm = testRealm({ preauth: [encryptedTimestampKdc] })
  const more = (message: Uint8Array, n: number) =>
    n === 0 ? message : encode(KrbErrorMessage, { ...decode(KrbErrorMessage, first!), errorCode: 91 })
  let first: Uint8Array | undefined
  const answer = (message: Uint8Array, n: number) => {
    first ??= message
    return more(message, n)
  }
  await expect(realm.login('alice', {}, { answer })).rejects.toMatchObject({
    code: 'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED',
  })
  expect(realm.sent.length).toBe(16)
})
