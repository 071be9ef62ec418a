/** Changing and setting passwords (RFC 3244): our client and our server, each with the other and with liars. */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { concat, fromHex, utf8 } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { run } from '../../src/effects/index.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc } from '../../src/kdc/kdc.ts'
import { createKpasswd, type KpasswdEvent } from '../../src/kdc/kpasswd.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { initiateAp } from '../../src/krb5/exchanges/ap.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { changePassword, passwordService } from '../../src/krb5/exchanges/password.ts'
import { formatPasswordFrame, parsePasswordFrame } from '../../src/krb5/exchanges/passwordframe.ts'
import { makePriv } from '../../src/krb5/exchanges/priv.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { ChangePasswdData } from '../../src/krb5/messages/password.ts'
import { type Principal, parsePrincipal, ticketGrantingService } from '../../src/krb5/names.ts'
import { parsePasswordResult } from '../../src/krb5/passwordresult.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'

const REALM = 'LAB.TEST'
const TIME = 1_800_000_000
let moment = TIME * 1e6
const env = { ...fixedEnv(TIME), now: () => moment++ }
const here = { addrType: 2, address: Uint8Array.of(127, 0, 0, 1) }
const named = (name: string): Principal => parsePrincipal(name, { realm: REALM })
const few = { enctypes: [enctypes[0]!] }
let database: MemoryDatabase
let events: KpasswdEvent[]
let kdc: ReturnType<typeof createKdc>
let kpasswd: ReturnType<typeof createKpasswd>

beforeEach(() => {
  database = new MemoryDatabase(REALM, env.random)
  database.add('alice', { password: 'old', aliases: ['al'], ...few })
  database.add('late', { password: 'old', passwordExpires: TIME - 1, ...few })
  database.add('locked', { password: 'old', locked: true, ...few })
  database.add('root/admin', { password: 'root', ...few })
  database.add('kadmin/changepw', { changesPasswords: true, ...few })
  events = []
  kdc = createKdc({ realm: REALM, database, env })
  kpasswd = createKpasswd({
    realm: REALM,
    database,
    env,
    quality: ({ newPassword }) => (newPassword.length < 3 ? 'Three characters, please.' : undefined),
    maySet: ({ components }) => components[1] === 'admin',
    log: (event) => events.push(event),
  })
})

/** `lie` changes what the password server answers. */
const go = <T>(exchange: KrbExchange<T>, lie = (reply: Uint8Array): Uint8Array => reply): Promise<T> =>
  run<KrbQuestions, T>(exchange, {
    send: ({ message, service }) =>
      service === 'kpasswd'
        ? { message: lie(kpasswd.handle(message, here)!), kdc: 'kpasswd' }
        : { message: kdc.handle(message)!, kdc: 'kdc' },
    prompt: () => expect.unreachable(),
    replay: () => false,
    keep: () => undefined,
    compute: ({ work }) => work(),
  } as Parameters<typeof run<KrbQuestions, T>>[1])
const ticketFor = async (service: Principal, name = 'alice', password = 'old') => {
  const secret = passwordSecret(named(name), password)
  return (await go(asExchange({ client: named(name), secret, service, lifetime: 300 }, env))).credential
}
const ticket = (name?: string, password?: string) => ticketFor(passwordService(REALM), name, password)
const change = async (newPassword: string, credential?: Credential, target?: Principal) =>
  go(changePassword({ credential: credential ?? (await ticket()), newPassword, target }, env))

describe('a user', () => {
  test('changes the password, under all names, and gets a key of the next version', async () => {
    expect(await change('nëw')).toEqual({ code: 0, text: 'Password changed' })
    expect(events).toEqual([{ client: 'alice@LAB.TEST', target: 'alice@LAB.TEST', outcome: 'changed' }])
    await expect(ticket()).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
    await ticket('alice', 'nëw')
    expect(database.lookup(named('al'))).toBe(database.lookup(named('alice')))
    expect(database.lookup(named('alice'))!.kvno).toBe(2)
  })

  test('whose password has expired gets a ticket for changing it, and none for anything else', async () => {
    await expect(ticketFor(ticketGrantingService(REALM), 'late')).rejects.toMatchObject({ code: 'KDC_ERR_KEY_EXPIRED' })
    await change('new', await ticket('late'))
    await ticketFor(ticketGrantingService(REALM), 'late', 'new')
  })

  test('is told why a password is not good enough, and keeps the old one', async () => {
    await expect(change('x')).rejects.toMatchObject({
      code: 'KRB5_KPASSWD_SOFTERROR',
      origin: 'peer',
      message: expect.stringContaining('alice@LAB.TEST ("Three characters, please.")'),
      result: { code: 4, text: 'Three characters, please.' },
    })
    await ticket()
  })

  test('needs a ticket that was got with the password, not one that was bought', async () => {
    const tgt = await ticketFor(ticketGrantingService(REALM))
    const { credential } = await go(tgsExchange({ tgt, service: passwordService(REALM) }, env))
    await expect(change('new', credential)).rejects.toMatchObject({ code: 'KRB5_KPASSWD_INITIAL_FLAG_NEEDED' })
  })

  test('may not set the password of another', async () => {
    await expect(change('new', await ticket(), named('root/admin'))).rejects.toMatchObject({
      code: 'KRB5_KPASSWD_ACCESSDENIED',
    })
    expect(events).toEqual([
      { client: 'alice@LAB.TEST', target: 'root/admin@LAB.TEST', outcome: 'KRB5_KPASSWD_ACCESSDENIED' },
    ])
  })

  test('may set the own password, by the version that names whose it is', async () => {
    await change('new', await ticket(), named('alice'))
    await ticket('alice', 'new')
  })
})

describe('an administrator', () => {
  test('sets the password of another, with a ticket that was bought', async () => {
    const tgt = await ticketFor(ticketGrantingService(REALM), 'root/admin', 'root')
    const { credential } = await go(tgsExchange({ tgt, service: passwordService(REALM) }, env))
    await change('new', credential, named('alice'))
    await ticket('alice', 'new')
  })

  test.each(['nobody', 'locked'])('does not set the password of %s', async (name) =>
    expect(change('new', await ticket('root/admin', 'root'), named(name))).rejects.toMatchObject({
      code: 'KRB5_KPASSWD_HARDERROR',
    }),
  )
})

describe('the server', () => {
  const request = async ({
    version = 1,
    userData = utf8('new') as Uint8Array,
    sequence = 0,
    credential = undefined as Credential | undefined,
  }) => {
    const initiator = initiateAp({ credential: credential ?? (await ticket()), mutual: true }, env)
    const sender = { key: initiator.subkey, address: here, sequenceNumber: initiator.sequenceNumber + sequence }
    return formatPasswordFrame({ version, ap: initiator.message, rest: makePriv(userData, sender, env) })
  }
  /** A change, and the same AP-REQ again with a KRB-PRIV of its own. */
  const sealedTwice = async (password: string) => {
    const initiator = initiateAp({ credential: await ticket(), mutual: true }, env)
    const sender = { key: initiator.subkey, address: here, sequenceNumber: initiator.sequenceNumber }
    const again = async (words: string) => {
      const rest = makePriv(utf8(words), sender, env)
      const octets = formatPasswordFrame({ version: 1, ap: initiator.message, rest })
      return { octets, reply: kpasswd.handle(octets, here)! }
    }
    const first = (await again(password)).reply
    return { first, again }
  }
  /** The result in a KRB-ERROR, bare or in a frame. */
  const unproven = (reply: Uint8Array | undefined, framed: boolean) => {
    const octets = framed ? parsePasswordFrame(reply!)!.rest : reply!
    return parsePasswordResult(decode(KrbErrorMessage, octets).eData!)!.code
  }

  test('answers nothing that is no request, least of all replies and errors (CVE-2002-2443)', async () => {
    const error = kpasswd.handle(await request({ sequence: 1 }), here)!
    const reply = kpasswd.handle(await request({}), here)!
    for (const octets of [
      reply,
      error,
      new Uint8Array(0),
      fromHex('0006 0001 0000'),
      fromHex('0008 0001 0002 6e00 00'),
    ])
      expect(kpasswd.handle(octets, here)).toBeUndefined()
  })

  test('takes no other ticket for one of its own (CVE-2022-2031)', async () => {
    const credential = await ticketFor(ticketGrantingService(REALM))
    for (const version of [1, 0xff80])
      expect(unproven(kpasswd.handle(await request({ version, credential }), here), version === 1)).toBe(3)
  })

  test('refuses a message out of order, and versions and data that it does not know', async () => {
    expect(unproven(kpasswd.handle(await request({ sequence: 1 }), here), true)).toBe(3)
    const result = async (version: number, userData: Uint8Array) => {
      kpasswd.handle(await request({ version, userData }), here)
      return events.at(-1)?.outcome
    }
    expect(await result(2, utf8('new'))).toBe('KRB5_KPASSWD_BAD_VERSION')
    expect(await result(0xff80, utf8('new'))).toBe('KRB5_KPASSWD_MALFORMED')
    expect(await result(1, Uint8Array.of(0xff, 0xfe, 0xfd))).toBe('KRB5_KPASSWD_SOFTERROR')
    expect(await result(1, new Uint8Array(2000).fill(97))).toBe('KRB5_KPASSWD_SOFTERROR')
    expect(await result(0xff80, encode(ChangePasswdData, { newpasswd: utf8('new') }))).toBe('changed')
  })

  test('gives a request that comes again the reply it had, also where its words are sealed anew, as MIT does', async () => {
    const { again, first } = await sealedTwice('new')
    const { octets, reply } = await again('new')
    expect(reply).toEqual(first)
    expect(kpasswd.handle(octets, here)).toEqual(reply)
    expect(events.length).toBe(1)
  })

  test('takes an AP-REQ with other words for a replay, and changes nothing more', async () => {
    const { again, first } = await sealedTwice('new')
    const { octets, reply } = await again('other')
    expect(decode(KrbErrorMessage, parsePasswordFrame(reply)!.rest).errorCode).toBe(34)
    expect(kpasswd.handle(octets, here)).not.toEqual(first)
    const frame = parsePasswordFrame(octets)!
    const cut = formatPasswordFrame({ ...frame, rest: frame.rest.subarray(0, frame.rest.length - 1) })
    expect(decode(KrbErrorMessage, parsePasswordFrame(kpasswd.handle(cut, here)!)!.rest).errorCode).toBe(34)
    expect(events.length).toBe(1)
    await ticket('alice', 'new')
  })

  test('remembers nothing of an AP-REQ whose words do not open, but that it was there', async () => {
    const octets = await request({})
    const frame = parsePasswordFrame(octets)!
    const cut = formatPasswordFrame({ ...frame, rest: frame.rest.subarray(0, frame.rest.length - 1) })
    unproven(kpasswd.handle(cut, here), true)
    expect(decode(KrbErrorMessage, parsePasswordFrame(kpasswd.handle(octets, here)!)!.rest).errorCode).toBe(34)
    expect(events).toEqual([])
  })
})

describe('the client', () => {
  const refused = async (lie: (reply: Uint8Array) => Uint8Array) => {
    const credential = await ticket()
    return go(changePassword({ credential, newPassword: 'new' }, env), lie).then(
      () => 'taken',
      ({ code, result }) => `${code} ${result?.code ?? ''}`.trim(),
    )
  }
  const krbError = (eData?: Uint8Array) =>
    encode(KrbErrorMessage, {
      ...{
        stime: TIME,
        susec: 0,
        errorCode: 60,
        realm: REALM,
        sname: { nameType: 1, nameString: ['kadmin', 'changepw'] },
      },
      ...(eData ? { eData } : {}),
    })
  const framed = (rest: Uint8Array) => formatPasswordFrame({ version: 1, ap: new Uint8Array(0), rest })

  test.each<readonly [string, (reply: Uint8Array) => Uint8Array, string]>([
    ['octets that are nothing', () => fromHex('00'), 'REPLY_MALFORMED'],
    ['a reply cut short', (reply) => reply.subarray(0, -1), 'REPLY_MALFORMED'],
    ['a bare KRB-ERROR', () => krbError(), 'KRB_ERR_GENERIC'],
    ['a KRB-ERROR in a frame, with a result', () => framed(krbError(fromHex('0003'))), 'KRB5_KPASSWD_AUTHERROR 3'],
    ['a result that no RFC has', () => krbError(fromHex('ffff')), 'KRB5_KPASSWD_HARDERROR 65535'],
    ['a KRB-ERROR that tells of a success', () => krbError(fromHex('0000')), 'KRB_ERR_GENERIC'],
    ['a frame that holds no error', () => framed(utf8('x')), 'REPLY_MALFORMED'],
    [
      'a KRB-PRIV that was changed',
      (reply) => concat(reply.subarray(0, -1), Uint8Array.of(reply.at(-1)! ^ 1)),
      'KRB_AP_ERR_MODIFIED',
    ],
  ])('refuses %s', async (_, lie, code) => expect(await refused(lie)).toBe(code))

  test('refuses the reply to an earlier change of its own', async () => {
    let earlier: Uint8Array | undefined
    await refused((reply) => {
      earlier = reply
      return reply
    })
    await change('old', await ticket('alice', 'new'))
    expect(await refused(() => earlier!)).toMatch(/KRB_AP_ERR_M/)
  })
})

describe('what a server answers', () => {
  test('is the policy, from Active Directory', () => {
    // two zeros, 7 characters, 24 passwords, complexity, 42 days at most, 1 day at least: as MS-SAMR counts
    const blob = fromHex('0000 00000007 00000018 00000001 00002100f5598000 000000c92a69c000')
    const result = parsePasswordResult(concat(fromHex('0004'), blob))!
    expect(result).toEqual({
      code: 4,
      policy: { minimumLength: 7, historyLength: 24, complex: true, maximumAge: 42 * 86_400, minimumAge: 86_400 },
      text: expect.stringMatching(/several kinds.*7 characters or more.*last 24.*a day after/),
    })
  })

  test.each([
    ['0004 6e6f0a1b5b6d', 'no ?[m'],
    ['0000', ''],
    ['0002 fffe', ''],
    [`0004 ${'00'.repeat(29)}`, ''],
  ])('is text on one line, without control characters: %s', (hex, text) =>
    expect(parsePasswordResult(fromHex(hex))!.text).toBe(text),
  )

  test('is nothing without a code', () => expect(parsePasswordResult(fromHex('00'))).toBeUndefined())
})
