/** KRB-SAFE, KRB-PRIV and KRB-CRED: what is taken, and each reason of RFC 4120 §3.4.2, §3.5.2 and §3.6.2 to refuse. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { fromHex, fromUtf8, utf8 } from '../../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { run } from '../../../src/effects/index.ts'
import type { Credential } from '../../../src/krb5/credential.ts'
import { asExchange } from '../../../src/krb5/exchanges/as.ts'
import { type CredReader, makeCred, readCred } from '../../../src/krb5/exchanges/cred.ts'
import { makePriv, readPriv } from '../../../src/krb5/exchanges/priv.ts'
import { makeSafe, readSafe } from '../../../src/krb5/exchanges/safe.ts'
import type { SessionReader, SessionSender } from '../../../src/krb5/exchanges/session.ts'
import { EncKrbCredPart, KrbCred, KrbSafe } from '../../../src/krb5/messages/session.ts'
import { formatPrincipal, parsePrincipal } from '../../../src/krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../../src/krb5/questions.ts'
import { MemoryReplayCache } from '../../../src/krb5/replay.ts'
import { passwordSecret } from '../../../src/krb5/secret.ts'
import { fixedEnv } from '../../support/env.ts'
import { PASSWORD, REALM, runAgainst, TIME } from '../../support/scriptedkdc.ts'
import { vectors } from '../../support/vectors.ts'

const env = fixedEnv(TIME)
const [enctype] = enctypes
const key = new Key(enctype!, new Uint8Array(32).fill(5))
const address = (last: number) => ({ addrType: 2, address: Uint8Array.of(127, 0, 0, last) })
const replays = new MemoryReplayCache()
const answer = <T>(exchange: KrbExchange<T>): Promise<T> =>
  run<KrbQuestions, T>(exchange, {
    send: () => expect.fail('nothing is to be sent'),
    prompt: () => expect.fail('nobody is to be asked'),
    replay: (record) => replays.seen(record),
    keep: () => undefined,
    compute: ({ work }) => work(),
  } as Parameters<typeof run<KrbQuestions, T>>[1])
const codeOf = (exchange: KrbExchange<unknown>) =>
  answer(exchange).then(
    () => 'taken',
    (error) => error.code ?? String(error),
  )

interface Case {
  readonly message: 'safe' | 'priv'
  readonly enctype: number
  readonly key: string
  readonly hex: string
}
const { cases } = vectors<{ readonly cases: readonly Case[] }>('generated_session')
const kinds = { safe: { make: makeSafe, read: readSafe }, priv: { make: makePriv, read: readPriv } } as const

test.each(cases)(
  'reads a KRB-$message of MIT, enctype $enctype',
  async ({ message, enctype: id, key: octets, hex }) => {
    const row = [...enctypes, ...deprecatedEnctypes].find((candidate) => candidate.id === id)!
    const reader = {
      key: new Key(row, fromHex(octets)),
      sequenceNumber: 7,
      peerAddress: address(1),
      addresses: [address(1)],
    }
    const { userData, sequenceNumber, time } = await answer(kinds[message].read(fromHex(hex), reader, env))
    expect([fromUtf8(userData), sequenceNumber, time]).toEqual(['hello', 7, undefined])
    const damaged = fromHex(hex)
    damaged[damaged.length - 1]! ^= 1
    expect(await codeOf(kinds[message].read(damaged, reader, env))).toBe('KRB_AP_ERR_MODIFIED')
  },
)

test('a KRB-SAFE of ours has the very octets of the one of MIT', () => {
  for (const { message, enctype: id, key: octets, hex } of cases.filter((row) => row.message === 'safe')) {
    const row = [...enctypes, ...deprecatedEnctypes].find((candidate) => candidate.id === id)!
    const sender = {
      key: new Key(row, fromHex(octets)),
      address: address(1),
      peerAddress: address(1),
      sequenceNumber: 7,
    }
    expect(kinds[message].make(utf8('hello'), sender, env)).toEqual(fromHex(hex))
  }
})

describe.each(['safe', 'priv'] as const)('a KRB-%s', (kind) => {
  const { make, read } = kinds[kind]
  const sent = (more: Partial<SessionSender> = {}, at = env) =>
    make(utf8('text'), { key, address: address(1), ...more }, at)
  const judged = (message: Uint8Array, more: Partial<SessionReader> = {}, at = env) =>
    codeOf(read(message, { key, ...more }, at))
  const later = (by: number) => fixedEnv(TIME + by)

  test.each<readonly [string, Partial<SessionSender>, Partial<SessionReader>, string]>([
    ['with its time', {}, {}, 'taken'],
    ['with the number to come', { sequenceNumber: 3 }, { sequenceNumber: 3 }, 'taken'],
    ['with the highest number', { sequenceNumber: 2 ** 32 - 1 }, { sequenceNumber: 2 ** 32 - 1 }, 'taken'],
    ['with a time, where the number to come is 0, which MIT leaves out', {}, { sequenceNumber: 0 }, 'taken'],
    ['with another number', { sequenceNumber: 4 }, { sequenceNumber: 3 }, 'KRB_AP_ERR_BADORDER'],
    ['without the number 0, as MIT leaves it out', {}, { sequenceNumber: 0 }, 'taken'],
    ['with a time instead of the number', {}, { sequenceNumber: 3 }, 'KRB_AP_ERR_BADORDER'],
    ['with a number instead of the time', { sequenceNumber: 3 }, {}, 'KRB_AP_ERR_SKEW'],
    ['from where it says', {}, { peerAddress: address(1) }, 'taken'],
    ['from elsewhere', {}, { peerAddress: address(2) }, 'KRB_AP_ERR_BADADDR'],
    [
      'of another kind of address',
      {},
      { peerAddress: { addrType: 24, address: address(1).address } },
      'KRB_AP_ERR_BADADDR',
    ],
    ['to us', { peerAddress: address(3) }, { addresses: [address(2), address(3)] }, 'taken'],
    ['to anybody', {}, { addresses: [address(2)] }, 'taken'],
    ['to somebody else', { peerAddress: address(9) }, { addresses: [address(2), address(3)] }, 'KRB_AP_ERR_BADADDR'],
    ['under another key', { key: new Key(enctype!, new Uint8Array(32)) }, {}, 'KRB_AP_ERR_MODIFIED'],
  ])('%s', async (_, sender, reader, code) => expect(await judged(sent(sender), reader)).toBe(code))

  test.each([
    [299, 'taken'],
    [-299, 'taken'],
    [301, 'KRB_AP_ERR_SKEW'],
    [-301, 'KRB_AP_ERR_SKEW'],
  ])('read %s s after it was sent', async (by, code) => expect(await judged(sent(), {}, later(by))).toBe(code))

  test('that comes again', async () => {
    const replay = { client: `alice ${kind}`, server: 'host' }
    const message = sent()
    expect(await judged(message, { replay })).toBe('taken')
    expect(await judged(message, { replay })).toBe('KRB_AP_ERR_REPEAT')
    expect(await judged(message)).toBe('taken')
  })

  test('that is the other kind, or nothing at all', async () => {
    const other = kinds[kind === 'safe' ? 'priv' : 'safe'].make(utf8('x'), { key, address: address(1) }, env)
    for (const octets of [other, new Uint8Array(0), sent().subarray(0, 20)])
      expect(await judged(octets)).toBe('KRB_AP_ERR_MSG_TYPE')
  })

  test('that anybody could repeat is not made', () =>
    expect(() => sent({ timestamps: false })).toThrow(/sequence number/))
})

test('a KRB-SAFE whose checksum is not keyed is refused, and one that signs the body alone is taken (RFC 1510)', async () => {
  const { safeBody } = decode(KrbSafe, makeSafe(utf8('x'), { key, address: address(1) }, env))
  const crc = encode(KrbSafe, { safeBody, cksum: { cksumtype: 1, checksum: new Uint8Array(4) } })
  expect(await codeOf(readSafe(crc, { key }, env))).toBe('KRB_AP_ERR_INAPP_CKSUM')
  const cksum = { cksumtype: key.enctype.checksumId, checksum: key.checksum(15, safeBody.der) }
  expect(await codeOf(readSafe(encode(KrbSafe, { safeBody, cksum }), { key }, env))).toBe('taken')
})

describe('a KRB-CRED', () => {
  const client = parsePrincipal('alice', { realm: REALM })
  const login = async (): Promise<Credential> => {
    const secret = passwordSecret(client, PASSWORD)
    return (await runAgainst(asExchange({ client, secret, lifetime: 3600 }, env))).credential
  }
  const judged = (message: Uint8Array, more: Partial<CredReader> = {}, at = env) =>
    codeOf(readCred(message, { keys: [key], ...more }, at))

  test('hands a ticket on, with all that is known of it', async () => {
    const tgt = await login()
    const message = makeCred([tgt, tgt], { key, address: address(1), peerAddress: address(2), nonce: 5 }, env)
    const wrong = new Key(enctype!, new Uint8Array(32))
    const reader = { keys: [wrong, key], peerAddress: address(1), addresses: [address(2)], nonce: 5 }
    const [got, again] = await answer(readCred(message, reader, env))
    const { key: sessionKey, ...rest } = got!
    const { key: own, ...told } = tgt
    expect(rest).toEqual(told)
    expect(sessionKey.equals(own)).toBe(true)
    expect(formatPrincipal(again!.server)).toBe('krbtgt/LAB.TEST@LAB.TEST')
  })

  test('is refused under another key, late, from elsewhere, for others, with another nonce, and the second time', async () => {
    const message = makeCred([await login()], { key, address: address(1), peerAddress: address(2), nonce: 5 }, env)
    expect(await judged(message)).toBe('taken')
    expect(await judged(message, { keys: [] })).toBe('KRB_AP_ERR_MODIFIED')
    expect(await judged(message, { keys: [new Key(enctype!, new Uint8Array(32))] })).toBe('KRB_AP_ERR_MODIFIED')
    expect(await judged(message, {}, fixedEnv(TIME + 301))).toBe('KRB_AP_ERR_SKEW')
    expect(await judged(message, { peerAddress: address(7) })).toBe('KRB_AP_ERR_BADADDR')
    expect(await judged(message, { addresses: [address(7)] })).toBe('KRB_AP_ERR_BADADDR')
    expect(await judged(message, { nonce: 6 })).toBe('KRB_AP_ERR_MODIFIED')
    const replay = { client: 'alice cred', server: 'host' }
    expect(await judged(message, { replay })).toBe('taken')
    expect(await judged(message, { replay })).toBe('KRB_AP_ERR_REPEAT')
  })

  test('in the clear is taken only where that is allowed', async () => {
    const message = makeCred([await login()], { key: undefined, timestamps: false }, env)
    expect(await judged(message)).toBe('KRB_AP_ERR_MODIFIED')
    expect(await judged(message, { plain: true })).toBe('KRB_AP_ERR_SKEW')
    expect(await judged(message, { plain: true, timestamps: false })).toBe('taken')
  })

  test('that holds no ticket, another number of them, or one of nobody, is refused', async () => {
    expect(() => makeCred([], { key }, env)).toThrow(TypeError)
    const honest = decode(KrbCred, makeCred([await login()], { key: undefined }, env))
    const part = decode(EncKrbCredPart, honest.encPart.cipher)
    const forged = (tickets: KrbCred['tickets'], ticketInfo: EncKrbCredPart['ticketInfo']) =>
      encode(KrbCred, { tickets, encPart: { etype: 0, cipher: encode(EncKrbCredPart, { ...part, ticketInfo }) } })
    const { pname: _, ...nameless } = part.ticketInfo[0]!
    for (const message of [
      forged([], []),
      forged(honest.tickets, []),
      forged([...honest.tickets, ...honest.tickets], part.ticketInfo),
      forged(honest.tickets, [nameless]),
    ])
      expect(await judged(message, { plain: true })).toBe('KRB_AP_ERR_MSG_TYPE')
  })
})
