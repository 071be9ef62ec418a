/** MIT's reference encodings: every message of RFC 4120, read and written again to the octet. */
import { expect, expectTypeOf, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { Authenticator } from '../../src/krb5/messages/ap.ts'
import { AsAnswer, AsReq, EncAsRepPart, KdcReqBody } from '../../src/krb5/messages/kdc.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { references } from './references.ts'

const reference = (name: string) => references.find((each) => each.name === name)!.hex

test.each(references)('MIT $name is read and written again to the octet', ({ codec, hex }) => {
  expect(toHex(encode(codec, decode(codec, fromHex(hex))))).toBe(hex)
})

test('MIT ticket has the values of ktest.c, and no tktVno', () => {
  const value = decode(Ticket, fromHex(reference('ticket')))
  expect(value).toEqual({
    realm: 'ATHENA.MIT.EDU',
    sname: { nameType: 1, nameString: ['hftsai', 'extra'] },
    encPart: { etype: 0, kvno: 5, cipher: new TextEncoder().encode('krbASN.1 test message') },
  })
  expectTypeOf(value).not.toHaveProperty('tktVno')
  expectTypeOf(value.encPart.kvno).toEqualTypeOf<number | undefined>()
})

test('MIT authenticator has the values of ktest.c', () => {
  const { ctime, cusec, cksum, subkey, seqNumber } = decode(Authenticator, fromHex(reference('authenticator')))
  expect(ctime).toBe(Date.UTC(1994, 5, 10, 6, 3, 17) / 1000)
  expect({ cusec, seqNumber }).toEqual({ cusec: 123_456, seqNumber: 17 })
  expect(cksum).toEqual({ cksumtype: 1, checksum: new TextEncoder().encode('1234') })
  expect(subkey).toEqual({ keytype: 1, keyvalue: new TextEncoder().encode('12345678') })
})

test('the body of an AS-REQ comes with the octets that a checksum covers', () => {
  const { reqBody } = decode(AsReq, fromHex(reference('as_req')))
  expect(toHex(reqBody.der)).toBe(reference('kdc_req_body'))
  expect(toHex(encode(KdcReqBody, reqBody.value))).toBe(reference('kdc_req_body'))
  expect([...reqBody.value.kdcOptions].slice(0, 3)).toEqual(['reserved', 'forwardable', 'forwarded'])
  expect(reqBody.value.kdcOptions.has('bit9')).toBe(true)
})

test("the TGS's tag is read where an EncASRepPart is due (RFC 4120 §5.4.2), and never written", () => {
  const value = decode(EncAsRepPart, fromHex(reference('enc_kdc_rep_part')))
  expect(value.lastReq[0]).toEqual({ lrType: -5, lrValue: value.authtime })
  expect(encode(EncAsRepPart, value)[0]).toBe(0x60 | 25)
})

test.each([
  [AsReq, 'as_req', ['020100020101', '020100040101'], 'KDC-REQ.reqBody.etype[1]: expected Int32, found tag 0x4'],
  [Ticket, 'ticket', ['a003020105a1101b', 'a003020104a1101b'], 'Ticket.tktVno: expected 5, found 4'],
  [AsAnswer, 'as_req', ['6a', '6a'], 'AS-REP or KRB-ERROR: no alternative has tag 0x6a'],
  [Ticket, 'as_req', ['6a', '6a'], 'Ticket: expected [APPLICATION 1], found tag 0x6a'],
  [AsReq, 'as_req', ['06686674736169', '06680074736169'], 'KDC-REQ.reqBody.cname.nameString[0]: the text contains NUL'],
  [Ticket, 'ticket', ['a325', 'a425'], 'Ticket.encPart: missing, found tag 0xa4 in its place'],
] as const)('a failure names its path', (codec, name, [from, to], message) => {
  const broken = fromHex(reference(name).replace(from, to))
  expect(() => decode<unknown>(codec, broken)).toThrow(expect.objectContaining({ name: 'Asn1Error', message }))
})
