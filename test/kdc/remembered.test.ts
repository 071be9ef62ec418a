/**
 * A KDC remembers the tickets that it was shown (RFC 4120 §3.3.3 asks to open and to check them with every request): what is
 * remembered must change no answer, whatever has changed since.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { enctypeByName } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc, type KdcFunction } from '../../src/kdc/kdc.ts'
import type { Origin } from '../../src/kdc/request.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { errorCodeOf } from '../../src/krb5/errorcodes.ts'
import { type AsRequest, asExchange } from '../../src/krb5/exchanges/as.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { AuthorizationData } from '../../src/krb5/messages/basics.ts'
import { addressTypes, adTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import type { KrbExchange } from '../../src/krb5/questions.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'
import { few } from '../support/realms.ts'

const REALM = 'LAB.TEST'
const TIME = 1_800_000_000
const alice = parsePrincipal(`alice@${REALM}`)
const service = parsePrincipal(`HTTP/www@${REALM}`)
const identity = (rid: number) => ({ sid: `S-1-5-21-1-2-3-${rid}` })
const address = (last: number) => ({ addrType: addressTypes.ipv4, address: Uint8Array.of(10, 0, 0, last) })

let time: number
let database: MemoryDatabase
let kdc: KdcFunction
let tgt: Credential
const random = fixedEnv(TIME, 9).random
const env = { ...fixedEnv(TIME), random, now: () => time * 1e6 }

beforeEach(() => {
  time = TIME
  database = new MemoryDatabase(REALM, random)
  database.add('alice', { password: 'x', identity: identity(1103), ...few })
  database.add('HTTP/www', few)
  kdc = createKdc({ realm: REALM, database, env, preauth: [] })
  database.add('alice', { ...database.lookup(alice)!, requiresPreauth: false })
  tgt = login()
})

/** The request that an exchange begins with, its answer, and what the exchange makes of that. */
function going<T>(exchange: KrbExchange<T>, from?: Origin): T {
  let step = exchange.next()
  while (!step.done) {
    if (step.value.kind !== 'send') throw new TypeError('only the KDC is asked')
    step = exchange.next({ message: kdc.handle(step.value.ask.message, from)!, kdc: REALM })
  }
  return step.value
}

function login(more: Partial<AsRequest> = {}): Credential {
  const request = { client: alice, secret: passwordSecret(alice, 'x'), lifetime: 3600, ...more }
  return going(asExchange(request, env)).credential
}

function outcome(shown: Credential = tgt, from?: Origin): string {
  try {
    going(tgsExchange({ tgt: shown, service }, env), from)
    return 'issued'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

/** What the KDC says to a request made at this moment of another clock, without the client's second try. */
function answerTo(exchange: KrbExchange<unknown>): string {
  const step = exchange.next()
  exchange.return(undefined)
  if (step.done || step.value.kind !== 'send') throw new TypeError('only the KDC is asked')
  const reply = kdc.handle(step.value.ask.message)!
  return reply[0] === 0x6d ? 'issued' : errorCodeOf(decode(KrbErrorMessage, reply).errorCode)
}

test('a ticket buys the same again and again', () => {
  const { credential: first } = going(tgsExchange({ tgt, service }, env))
  const { credential: second } = going(tgsExchange({ tgt, service }, env))
  expect(second.key.equals(first.key)).toBe(false)
  expect({ ...second, key: 0, ticket: 0 }).toEqual({ ...first, key: 0, ticket: 0 })
})

test('a ticket buys others of every kind in turns, each with a PAC that its keys have signed', () => {
  const kinds = ['HTTP/www', 'HTTP/old', `krbtgt/${REALM}`, 'HTTP/www', 'HTTP/old', `krbtgt/${REALM}`]
  database.add('HTTP/old', { enctypes: [enctypeByName('aes128-cts-hmac-sha1-96')!] })
  const [kdcKey] = database.lookup(tgt.server)!.keys
  for (const name of kinds) {
    const wanted = parsePrincipal(`${name}@${REALM}`)
    const { credential } = going(tgsExchange({ tgt, service: wanted }, env))
    const serverKey = database.lookup(wanted)!.keys[0]!
    const part = sealedTicket.open(serverKey, decode(Ticket, credential.ticket).encPart)
    const granting = name.startsWith('krbtgt')
    const verdict = verifyTicketPac(part, { serverKey, kdcKeys: [kdcKey!], ...(granting ? { required: [] } : {}) })
    expect(verdict).toMatchObject({ state: 'verified', verified: granting ? { length: 2 } : { length: 4 } })
    expect(verdict.state === 'verified' && verdict.pac.requestor).toBe(granting ? identity(1103).sid : undefined)
  }
})

describe('a ticket that was shown before', () => {
  beforeEach(() => expect(outcome()).toBe('issued'))

  test('is nobody’s who has not its session key', () => {
    expect(outcome({ ...tgt, key: Key.generate(tgt.key.enctype, random) })).toBe('KRB_AP_ERR_BAD_INTEGRITY')
    expect(outcome({ ...tgt, client: parsePrincipal(`bob@${REALM}`) })).toBe('KRB_AP_ERR_BADMATCH')
    expect(outcome()).toBe('issued')
  })

  test('ends all the same', () => {
    time += 3600 + 301
    const late = answerTo(tgsExchange({ tgt: { ...tgt, endtime: time + 3600 }, service }, env))
    expect(late).toBe('KRB_AP_ERR_TKT_EXPIRED')
  })

  test('takes an authenticator of now', () => {
    const old = { ...env, now: () => (time - 301) * 1e6 }
    expect(answerTo(tgsExchange({ tgt, service }, old))).toBe('KRB_AP_ERR_SKEW')
  })

  test('is not good any more when its key is not there any more', () => {
    database.setPassword(tgt.server, 'new')
    expect(outcome()).toBe('KRB_AP_ERR_BADKEYVER')
  })

  test('is not good for another name, even one with the same key', () => {
    const { keys } = database.lookup(tgt.server)!
    database.add('krbtgt/OTHER.TEST', { keys })
    const ticket = decode(Ticket, tgt.ticket)
    const sname = { nameType: 2, nameString: ['krbtgt', 'OTHER.TEST'] }
    expect(outcome({ ...tgt, ticket: encode(Ticket, { ...ticket, sname }) })).toBe('KRB_AP_ERR_NOT_US')
  })

  test('with one bit changed is another', () => {
    const ticket = decode(Ticket, tgt.ticket)
    const { encPart } = ticket
    for (let at = 0; at < encPart.cipher.length; at += 7) {
      const cipher = encPart.cipher.slice()
      cipher[at]! ^= 1
      const changed = { ...tgt, ticket: encode(Ticket, { ...ticket, encPart: { ...encPart, cipher } }) }
      expect(outcome(changed)).toBe('KRB_AP_ERR_BAD_INTEGRITY')
    }
  })

  test('buys nothing in the name of an account that is another one now (noPac, CVE-2021-42287)', () => {
    database.add('alice', { ...database.lookup(alice)!, identity: identity(500) })
    expect(outcome()).toBe('KDC_ERR_TGT_REVOKED')
  })

  test('buys nothing of a service that is locked, or asks for more', () => {
    const record = database.lookup(service)!
    database.add('HTTP/www', { ...record, locked: true })
    expect(outcome()).toBe('KDC_ERR_SERVICE_REVOKED')
    database.add('HTTP/www', { ...record, requireAuth: ['pkinit'] })
    expect(outcome()).toBe('KDC_ERR_POLICY')
  })

  test('is forgotten with the KDC, which goes on', () => {
    kdc[Symbol.dispose]()
    expect(outcome()).toBe('issued')
  })
})

test('a ticket with addresses is good from them alone, shown before or not', () => {
  const here = login({ addresses: [address(1)] })
  expect(outcome(here, { sender: address(1) })).toBe('issued')
  expect(outcome(here, { sender: address(2) })).toBe('KRB_AP_ERR_BADADDR')
  expect(outcome(here, { sender: address(1) })).toBe('issued')
})

test('authorization data nested more deeply than is looked into is refused, not passed on', () => {
  const ticket = decode(Ticket, tgt.ticket)
  const key = database.lookup(tgt.server)!.keys.find(({ enctype }) => enctype.id === ticket.encPart.etype)!
  const part = sealedTicket.open(key, ticket.encPart)
  const [pac] = part.authorizationData!
  let nested = pac!
  for (let depth = 0; depth < 8; depth++)
    nested = { adType: adTypes.ifRelevant, adData: encode(AuthorizationData, [nested]) }
  const encPart = sealedTicket.seal(key, { ...part, authorizationData: [nested] }, env, ticket.encPart.kvno)
  expect(outcome({ ...tgt, ticket: encode(Ticket, { ...ticket, encPart }) })).toBe('KRB_AP_ERR_MODIFIED')
})
