/** AP-REPs that are not what they seem: RFC 4120 §3.2.5, and DCE style's third leg (MS-KILE §3.4.5.1). */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { toHex } from '../../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import type { Credential } from '../../../src/krb5/credential.ts'
import { KrbError } from '../../../src/krb5/errors.ts'
import {
  type FirstReply,
  initiateAp,
  makeApReply,
  verifyApReply,
  verifyLastReply,
} from '../../../src/krb5/exchanges/ap.ts'
import { ApRep, ApReq, EncApRepPart } from '../../../src/krb5/messages/ap.ts'
import { Ticket } from '../../../src/krb5/messages/ticket.ts'
import { principalNameOf } from '../../../src/krb5/names.ts'
import { sealedApRep, sealedAuthenticator } from '../../../src/krb5/sealed.ts'
import { fixedEnv } from '../../support/env.ts'
import { ticketFor } from '../../support/tickets.ts'

const TIME = 1_800_000_000
const env = fixedEnv(TIME)
const [enctype] = enctypes
const credential: Credential = ticketFor('HTTP/www.lab.test@LAB.TEST')
const { key, server } = credential
const subkey = Key.generate(enctype!, env.random)
const keyvalue = { keytype: enctype!.id, keyvalue: subkey.octets() }
/** An AP-REQ of ours, `later` microseconds after the first. */
const initiate = (later = 0, of = credential) =>
  initiateAp({ credential: { ...of, ticket: emptyTicket }, mutual: true }, { ...env, now: () => TIME * 1e6 + later })
/** A ticket that is not looked at. */
const emptyTicket = encode(Ticket, {
  realm: server.realm,
  sname: principalNameOf(server),
  encPart: { etype: enctype!.id, cipher: new Uint8Array(6) },
})

const sent = initiate()
const honest: EncApRepPart = { ctime: TIME, cusec: 0, subkey: keyvalue, seqNumber: 7 }
const sealedWith = (part: Partial<EncApRepPart>, under = key) =>
  encode(ApRep, { encPart: sealedApRep.seal(under, { ...honest, ...part }, env) })
const codeOf = (attempt: () => unknown): string => {
  try {
    attempt()
    return 'accepted'
  } catch (error) {
    if (error instanceof KrbError) return error.code
    throw error
  }
}
const outcome = (message: Uint8Array, initiator = sent) =>
  codeOf(() => verifyApReply(message, initiator, credential, env))

describe('class 5: an AP-REP', () => {
  test('that is honest is taken, and brings the acceptor’s choice', () => {
    const reply = verifyApReply(sealedWith({}), sent, credential, env)
    expect(toHex(reply.subkey!.octets())).toBe(toHex(subkey.octets()))
    expect(reply.sequenceNumber).toBe(7)
    expect(verifyApReply(sealedWith({ subkey: undefined, seqNumber: undefined }), sent, credential, env)).toEqual({
      subkey: undefined,
      sequenceNumber: undefined,
    })
  })

  test.each<[string, Partial<EncApRepPart>]>([
    ['another second', { ctime: TIME + 1 }],
    ['the second before', { ctime: TIME - 1 }],
    ['another microsecond', { cusec: 1 }],
    ['the last microsecond of the second before', { ctime: TIME - 1, cusec: 999_999 }],
    ['the epoch', { ctime: 0 }],
  ])('sealed as it should be that repeats %s is refused', (_, part) =>
    expect(outcome(sealedWith(part))).toBe('KRB_AP_ERR_MUT_FAIL'),
  )

  test('of another session with the same ticket is refused', () => {
    const other = initiate(1)
    const theirs = makeApReply(key, { ...other, subkey, sequenceNumber: 7 }, env)
    expect(outcome(theirs, other)).toBe('accepted')
    expect(outcome(theirs)).toBe('KRB_AP_ERR_MUT_FAIL')
  })

  test('of a session with another ticket is refused', () => {
    const another = { ...credential, key: Key.generate(enctype!, env.random) }
    expect(outcome(sealedWith({}, another.key))).toBe('KRB_AP_ERR_MODIFIED')
  })

  test.each([
    ['the initiator’s subkey', sent.subkey],
    ['a key of another enctype', Key.generate(enctypes[1]!, env.random)],
  ])('sealed with %s in place of the session key is refused', (_, under) =>
    expect(outcome(sealedWith({}, under))).toBe('KRB_AP_ERR_MODIFIED'),
  )

  test('made of our own authenticator is refused', () => {
    const { authenticator } = decode(ApReq, sent.message)
    expect(outcome(encode(ApRep, { encPart: authenticator }))).toBe('KRB_AP_ERR_MODIFIED')
    expect(outcome(sent.message)).toBe('REPLY_MALFORMED')
  })

  test('sealed for another use of the session key is refused', () => {
    const { usage } = sealedAuthenticator
    const cipher = key.encrypt(usage, encode(EncApRepPart, honest), env.random)
    expect(outcome(encode(ApRep, { encPart: { etype: enctype!.id, cipher } }))).toBe('KRB_AP_ERR_MODIFIED')
  })

  test('whose subkey is of an enctype that was not offered, or of another size, is refused', () => {
    const rc4 = deprecatedEnctypes.find(({ id }) => id === 23)!
    expect(outcome(sealedWith({ subkey: { keytype: rc4.id, keyvalue: new Uint8Array(16) } }))).toBe('ENCTYPE_REFUSED')
    for (const size of [0, 16, 31, 33])
      expect(outcome(sealedWith({ subkey: { ...keyvalue, keyvalue: new Uint8Array(size) } }))).toBe('REPLY_MALFORMED')
  })

  test('that holds something else, sealed as it should be, is refused', () => {
    for (const plaintext of [
      new Uint8Array(0),
      new Uint8Array(40),
      encode(ApRep, { encPart: { etype: 1, cipher: key.octets() } }),
    ]) {
      const cipher = key.encrypt(sealedApRep.usage, plaintext, env.random)
      expect(outcome(encode(ApRep, { encPart: { etype: enctype!.id, cipher } }))).toBe('REPLY_MALFORMED')
    }
  })

  test('with any octet changed, or any part missing, is refused', () => {
    const message = sealedWith({})
    for (let at = 0; at < message.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = message.slice()
        changed[at]! ^= 1 << bit
        expect(outcome(changed), `bit ${bit} of octet ${at}`).toMatch(/^(KRB_AP_ERR_MODIFIED|REPLY_MALFORMED)$/)
      }
      expect(outcome(message.subarray(0, at)), `${at} octets`).toBe('REPLY_MALFORMED')
    }
  })
})

describe('class 5: the AP-REP that an initiator sends last in DCE style', () => {
  const reply = {
    message: makeApReply(key, { ...sent, subkey, sequenceNumber: 7 }, env),
    sequenceNumber: 7,
  } satisfies FirstReply
  const last = (message: Uint8Array) => codeOf(() => verifyLastReply(message, reply, key, server))

  test('repeats the number that the acceptor began with, whatever its time and subkey', () => {
    for (const part of [{}, { subkey: undefined }, { ctime: TIME + 1 }, { cusec: 999_999 }])
      expect(last(sealedWith(part))).toBe('accepted')
    for (const seqNumber of [undefined, 0, 6, 8, 2 ** 32 - 1])
      expect(last(sealedWith({ seqNumber }))).toBe('KRB_AP_ERR_MUT_FAIL')
  })

  test('is not the acceptor’s own sent back, nor what that sealed in other clothes', () => {
    const { encPart } = decode(ApRep, reply.message)
    expect(last(reply.message)).toBe('KRB_AP_ERR_MUT_FAIL')
    for (const kvno of [0, 1, 2 ** 31])
      expect(last(encode(ApRep, { encPart: { ...encPart, kvno } }))).toBe('KRB_AP_ERR_MUT_FAIL')
  })

  test('is not the acceptor’s own either where only its contents are known any more', () => {
    const contents: FirstReply = { sequenceNumber: 7, subkey: subkey.octets() }
    expect(codeOf(() => verifyLastReply(reply.message, contents, key, server))).toBe('KRB_AP_ERR_MUT_FAIL')
    expect(codeOf(() => verifyLastReply(sealedWith({ subkey: undefined }), contents, key, server))).toBe('accepted')
  })

  test('is sealed with the session key', () => {
    expect(last(sealedWith({}, subkey))).toBe('KRB_AP_ERR_MODIFIED')
  })

  test('with any octet changed, or any part missing, is refused', () => {
    const message = sealedWith({ subkey: undefined })
    for (let at = 0; at < message.length; at++) {
      const changed = message.slice()
      changed[at]! ^= 1 << (at % 8)
      for (const octets of [changed, message.subarray(0, at)])
        expect(last(octets), `octet ${at}`).toMatch(/^(KRB_AP_ERR_MODIFIED|REPLY_MALFORMED)$/)
    }
  })
})
