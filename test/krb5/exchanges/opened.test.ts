/** Tickets that an acceptor remembers: what is spared, and that nothing is accepted for it that would not be without. */
import { expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { run, type World } from '../../../src/effects/index.ts'
import { Krb5Credential } from '../../../src/gss/krb5/credential.ts'
import type { Credential, ServiceKey } from '../../../src/krb5/credential.ts'
import { type Accepted, type Acceptor, acceptAp } from '../../../src/krb5/exchanges/accept.ts'
import { initiateAp } from '../../../src/krb5/exchanges/ap.ts'
import { OpenedTickets } from '../../../src/krb5/exchanges/opened.ts'
import { ApReq } from '../../../src/krb5/messages/ap.ts'
import { Ticket } from '../../../src/krb5/messages/ticket.ts'
import { parsePrincipal, principalNameOf } from '../../../src/krb5/names.ts'
import type { KrbQuestions } from '../../../src/krb5/questions.ts'
import { MemoryReplayCache } from '../../../src/krb5/replay.ts'
import { sealedTicket } from '../../../src/krb5/sealed.ts'
import { fixedEnv } from '../../support/env.ts'

const TIME = 1_800_000_000
const env = fixedEnv(TIME)
const [enctype] = enctypes
const service = parsePrincipal('HTTP/www.lab.test@LAB.TEST')
const serviceKey = (kvno = 1): ServiceKey => ({ principal: service, kvno, key: Key.generate(enctype!, env.random) })

/** A ticket that a KDC would grant for `shared`. */
function granted(shared: ServiceKey, name = 'alice@LAB.TEST'): Credential {
  const client = parsePrincipal(name)
  const key = Key.generate(enctype!, env.random)
  const common = { flags: new Set(['initial'] as const), authtime: TIME, starttime: TIME, endtime: TIME + 3600 }
  const part = {
    ...common,
    key: { keytype: enctype!.id, keyvalue: key.octets() },
    crealm: client.realm,
    cname: principalNameOf(client),
    transited: { trType: 1, contents: new Uint8Array(0) },
  }
  const encPart = sealedTicket.seal(shared.key, part, env, shared.kvno)
  const ticket = encode(Ticket, { realm: service.realm, sname: principalNameOf(service), encPart })
  return { ...common, client, server: service, key, ticket }
}

let moment = 0
/** An AP-REQ of this moment, no two alike. */
const shown = (credential: Credential): Uint8Array =>
  initiateAp({ credential, mutual: true }, { ...env, now: () => TIME * 1e6 + ++moment }).message

const replays = new MemoryReplayCache()
const world: World<KrbQuestions> = {
  send: () => expect.fail('nothing is to be sent'),
  prompt: () => expect.fail('nobody is to be asked'),
  keep: () => undefined,
  compute: ({ work }) => work(),
  replay: (record) => replays.seen(record),
}
const accept = (message: Uint8Array, acceptor: Acceptor, at = TIME): Promise<Accepted> =>
  run<KrbQuestions, Accepted>(acceptAp(message, acceptor, { ...env, now: () => at * 1e6 }), world)
const codeOf = (message: Uint8Array, acceptor: Acceptor, at?: number) =>
  accept(message, acceptor, at).then(
    () => 'accepted',
    (error) => error.code ?? String(error),
  )

test('a ticket that is shown again is not opened again, and means the same', async () => {
  const own = serviceKey()
  const opened = new OpenedTickets()
  const acceptor = { keys: [own], opened }
  const credential = granted(own)
  using first = await accept(shown(credential), acceptor)
  using second = await accept(shown(credential), acceptor)
  expect(second.ticket).toBe(first.ticket)
  expect(second.client).toEqual(credential.client)
  expect(second.authenticator).not.toEqual(first.authenticator)
  expect(second.subkey?.equals(first.subkey!)).toBe(false)
  expect(opened.size).toBe(1)
})

test('the authenticator is checked every time', async () => {
  const own = serviceKey()
  const acceptor = { keys: [own], opened: new OpenedTickets() }
  const credential = granted(own)
  const message = shown(credential)
  expect(await codeOf(message, acceptor)).toBe('accepted')
  expect(await codeOf(message, acceptor)).toBe('KRB_AP_ERR_REPEAT')
  const thief = { ...credential, key: Key.generate(enctype!, env.random) }
  expect(await codeOf(shown(thief), acceptor)).toBe('KRB_AP_ERR_BAD_INTEGRITY')
  const renamed = { ...credential, client: parsePrincipal('admin@LAB.TEST') }
  expect(await codeOf(shown(renamed), acceptor)).toBe('KRB_AP_ERR_BADMATCH')
  expect(await codeOf(shown(credential), acceptor)).toBe('accepted')
})

test('a ticket is remembered only once its holder has proved to have the session key', async () => {
  const own = serviceKey()
  const opened = new OpenedTickets()
  const stolen = { ...granted(own), key: Key.generate(enctype!, env.random) }
  expect(await codeOf(shown(stolen), { keys: [own], opened })).toBe('KRB_AP_ERR_BAD_INTEGRITY')
  expect(opened.size).toBe(0)
})

test('every octet of the ciphertext counts, not the end by which it is found', async () => {
  const own = serviceKey()
  const acceptor = { keys: [own], opened: new OpenedTickets() }
  const credential = granted(own)
  expect(await codeOf(shown(credential), acceptor)).toBe('accepted')
  const { ticket, authenticator, apOptions } = decode(ApReq, shown(credential))
  for (let at = 0; at < ticket.encPart.cipher.length; at++) {
    const cipher = ticket.encPart.cipher.slice()
    cipher[at]! ^= 1
    const forged = { apOptions, authenticator, ticket: { ...ticket, encPart: { ...ticket.encPart, cipher } } }
    expect(await codeOf(encode(ApReq, forged), acceptor)).toBe('KRB_AP_ERR_MODIFIED')
  }
})

test('it ends with its time, and with the key that opened it', async () => {
  const own = serviceKey()
  const opened = new OpenedTickets()
  const credential = granted(own)
  expect(await codeOf(shown(credential), { keys: [own], opened })).toBe('accepted')
  const late = { ...env, now: () => (TIME + 7200) * 1e6 }
  const { message } = initiateAp({ credential, mutual: true }, late)
  expect(await codeOf(message, { keys: [own], opened }, TIME + 7200)).toBe('KRB_AP_ERR_TKT_EXPIRED')
  expect(await codeOf(shown(credential), { keys: [serviceKey(2)], opened })).toBe('KRB_AP_ERR_BADKEYVER')
})

test('it is opened for no other name and with no other enctypes than it would be without', async () => {
  const own = serviceKey()
  const opened = new OpenedTickets()
  const credential = granted(own)
  expect(await codeOf(shown(credential), { keys: [own], opened })).toBe('accepted')
  const principal = parsePrincipal('imap/mail.lab.test@LAB.TEST')
  expect(await codeOf(shown(credential), { keys: [own], principal, opened })).toBe('KRB_AP_ERR_NOKEY')
  const strict = { ...env, enctypes: enctypes.slice(1), now: () => TIME * 1e6 }
  const refused = run<KrbQuestions, Accepted>(acceptAp(shown(credential), { keys: [own], opened }, strict), world)
  await expect(refused).rejects.toMatchObject({ code: 'KRB_AP_ERR_NOKEY' })
})

test('the oldest is forgotten when there are too many, its key wiped once nobody works with it', async () => {
  const own = serviceKey()
  const opened = new OpenedTickets({ capacity: 2 })
  const acceptor = { keys: [own], opened }
  const held = await accept(shown(granted(own)), acceptor)
  for (let i = 0; i < 5; i++) expect(await codeOf(shown(granted(own, `user${i}@LAB.TEST`)), acceptor)).toBe('accepted')
  expect(opened.size).toBe(2)
  expect(held.sessionKey.octets()).not.toEqual(new Uint8Array(32))
  held[Symbol.dispose]()
  held[Symbol.dispose]()
  expect(() => held.sessionKey.octets()).toThrow(TypeError)
  expect(held.ticket.key.keyvalue).toEqual(new Uint8Array(32))
})

test('nothing is remembered with a capacity of 0, and nothing outlives the credentials', async () => {
  const own = serviceKey()
  const none = new OpenedTickets({ capacity: 0 })
  const once = await accept(shown(granted(own)), { keys: [own], opened: none })
  expect(none.size).toBe(0)
  once[Symbol.dispose]()
  expect(() => once.sessionKey.octets()).toThrow(TypeError)
  const element = new Krb5Credential({ accept: { keys: [own] } })
  const accepted = await accept(shown(granted(own)), element.acceptor!)
  accepted[Symbol.dispose]()
  expect(accepted.sessionKey.octets()).toHaveLength(32)
  element[Symbol.dispose]()
  expect(() => accepted.sessionKey.octets()).toThrow(TypeError)
})
