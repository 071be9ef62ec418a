/** An authenticator is good once (RFC 4120 §3.2.3, §3.3.3); a request that comes again is answered as it was. */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { equal } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { Answered } from '../../src/kdc/answered.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc, type KdcFunction } from '../../src/kdc/kdc.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { errorCodeOf } from '../../src/krb5/errorcodes.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { TgsRep, TgsReq } from '../../src/krb5/messages/kdc.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KrbExchange } from '../../src/krb5/questions.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'
import { few } from '../support/realms.ts'

const REALM = 'LAB.TEST'
const TIME = 1_800_000_000
const alice = parsePrincipal(`alice@${REALM}`)
const service = parsePrincipal(`HTTP/www@${REALM}`)
const { random } = fixedEnv(TIME, 5)
let time: number
const env = { ...fixedEnv(TIME), random, now: () => time * 1e6 }

function asks(exchange: KrbExchange<unknown>): Uint8Array {
  const step = exchange.next()
  exchange.return(undefined)
  if (step.done || step.value.kind !== 'send') throw new TypeError('the exchange sends no request')
  return step.value.ask.message
}

describe('a KDC', () => {
  let kdc: KdcFunction
  let tgt: Credential
  const told: string[] = []
  const code = (reply: Uint8Array) =>
    reply[0] === 0x6d ? 'issued' : errorCodeOf(decode(KrbErrorMessage, reply).errorCode)
  const said = (request: Uint8Array) => code(kdc.handle(request)!)
  const request = () => asks(tgsExchange({ tgt, service }, env))

  beforeEach(() => {
    time = TIME
    const database = new MemoryDatabase(REALM, random)
    database.add('alice', { password: 'x', ...few, requiresPreauth: false })
    database.add('HTTP/www', few)
    told.length = 0
    kdc = createKdc({ realm: REALM, database, env, preauth: [], log: ({ outcome }) => told.push(outcome) })
    const exchange = asExchange({ client: alice, secret: passwordSecret(alice, 'x'), lifetime: 3600 }, env)
    let step = exchange.next()
    while (!step.done) {
      if (step.value.kind !== 'send') throw new TypeError('only the KDC is asked')
      step = exchange.next({ message: kdc.handle(step.value.ask.message)!, kdc: REALM })
    }
    tgt = step.value.credential
  })

  test('answers a request that comes again as it did before, and a new one anew', () => {
    const first = request()
    const reply = kdc.handle(first)!
    const copy = reply.slice()
    expect(kdc.handle(first.slice())).toEqual(copy)
    reply.fill(0)
    expect(kdc.handle(first)).toEqual(copy)
    expect(told).toEqual(['issued', 'issued', 'issued', 'issued'])
    expect(decode(TgsRep, kdc.handle(request())!).ticket).not.toEqual(decode(TgsRep, copy).ticket)
  })

  test('refuses another request with the same authenticator, which does not cover all of it', () => {
    const first = request()
    expect(said(first)).toBe('issued')
    const read = decode(TgsReq, first)
    const more = { padataType: 167, padataValue: Uint8Array.of(0x30, 9, 0xa0, 7, 3, 5, 0, 0x10, 0, 0, 0) }
    const other = encode(TgsReq, { ...read, padata: [...read.padata!, more] })
    expect(said(other)).toBe('KRB_AP_ERR_REPEAT')
    expect(said(first)).toBe('issued')
  })

  test('gives a late replay nothing: the authenticator is not of now', () => {
    const first = request()
    expect(said(first)).toBe('issued')
    time += 301
    expect(said(first)).toBe('KRB_AP_ERR_SKEW')
  })

  test('answers what it refused once when there is nothing to refuse any more', () => {
    const missing = asks(tgsExchange({ tgt, service: parsePrincipal(`HTTP/new@${REALM}`) }, env))
    expect(said(missing)).toBe('KDC_ERR_S_PRINCIPAL_UNKNOWN')
    expect(said(missing)).toBe('KDC_ERR_S_PRINCIPAL_UNKNOWN')
  })

  test('remembers nothing of whoever has not the key of the ticket', () => {
    const first = request()
    const stranger = asks(tgsExchange({ tgt: { ...tgt, key: Key.generate(enctypes[0]!, random) }, service }, env))
    for (let i = 0; i < 2; i++) expect(said(stranger)).toBe('KRB_AP_ERR_BAD_INTEGRITY')
    expect(said(first)).toBe('issued')
  })
})

describe('the memory', () => {
  const outcome = (reply: Uint8Array) => ({ reply, client: alice, service, enctype: 'aes' })
  /** A request of `size` octets with the authenticator `number` in it. */
  const proof = (number: number, size: number) => {
    const request = new Uint8Array(size).fill(number)
    new DataView(request.buffer).setUint32(12, number)
    return { request, cipher: request.subarray(4, 16) }
  }

  test('keeps the latest, forgets the oldest first, and never grows', () => {
    const memory = new Answered()
    let sizes = 0
    for (let i = 0; i < 2000; i++) {
      const size = 300 + ((i * 7919) % 3000)
      memory.keep(proof(i, size), outcome(new Uint8Array(size % 1000).fill(i)))
      sizes = Math.max(sizes, memory.size)
      if (i % 50 !== 0) continue
      for (let back = 0; back < 50 && back <= i; back++) {
        const at = i - back
        const was = 300 + ((at * 7919) % 3000)
        const found = memory.find(proof(at, was))
        expect(found !== 'replayed' && found && equal(found.reply, new Uint8Array(was % 1000).fill(at))).toBe(true)
      }
    }
    expect(sizes).toBeLessThan(1000)
    expect(memory.find(proof(1, 300 + (7919 % 3000)))).toBeUndefined()
  })

  test('tells an authenticator from another that ends alike, and leaves out what is very long', () => {
    const memory = new Answered()
    const one = proof(1, 400)
    memory.keep(one, outcome(Uint8Array.of(1)))
    const other = { request: one.request.slice(), cipher: one.request.slice().subarray(4, 16) }
    other.cipher[0]! ^= 1
    expect(memory.find(other)).toBeUndefined()
    expect(memory.find({ ...proof(1, 401) })).toBe('replayed')
    const long = proof(2, 70_000)
    memory.keep(long, outcome(Uint8Array.of(2)))
    expect(memory.find(long)).toBeUndefined()
    expect(memory.size).toBe(1)
  })
})
