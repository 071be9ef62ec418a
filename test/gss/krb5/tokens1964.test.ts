/** Tokens of RFC 1964 under attack; that they are MIT's octet for octet stands in vectors.test.ts. */
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/bytes/index.ts'
import { enctypeByName } from '../../../src/crypto/enctypes/table.ts'
import { Krb5Context } from '../../../src/gss/krb5/context.ts'
import { fixedEnv } from '../../support/env.ts'
import { ends, majorOf } from '../../support/established.ts'

const { random } = fixedEnv()

describe.each(['des3-cbc-sha1', 'arcfour-hmac'])('tokens of %s keys (RFC 1964 §1.2)', (enctype) => {
  const text = utf8('a message of some length')
  /** RC4 encrypts the number by a stream, and the checksum covers it only where the text hangs on it. */
  const unprotected = (at: number, sealed: boolean) => enctype === 'arcfour-hmac' && !sealed && at >= 21 && at < 25

  test('open with any one octet changed as an error, and afterwards as they are', () => {
    const [one, two] = ends(enctype)
    for (const sealed of [true, false]) {
      const token = one.wrap(text, sealed).message
      for (let at = 0; at < token.length; at++)
        for (const change of [1, 0x80, 0xff]) {
          if (unprotected(at, sealed)) continue
          const changed = token.slice()
          changed[at]! ^= change
          expect(
            majorOf(() => two.unwrap(changed)),
            `octet ${at}`,
          ).toMatch(/^GSS_S_(DEFECTIVE_TOKEN|BAD_SIG|BAD_MECH)$/)
        }
      expect(toHex(two.unwrap(token).message)).toBe(toHex(text))
    }
    const mic = one.sign(text)
    for (let at = 0; at < mic.length; at++) {
      if (unprotected(at, false)) continue
      const changed = mic.slice()
      changed[at]! ^= 1
      expect(
        majorOf(() => two.verify(text, changed)),
        `octet ${at}`,
      ).toMatch(/^GSS_S_(DEFECTIVE_TOKEN|BAD_SIG|BAD_MECH)$/)
    }
    expect(majorOf(() => two.verify(utf8('another'), mic))).toBe('GSS_S_BAD_SIG')
    expect(majorOf(() => two.verify(text, mic))).toBe('GSS_S_COMPLETE')
  })

  test('are not opened when any part is missing, or anything follows', () => {
    const [one, two] = ends(enctype)
    const wrapped = one.wrap(text, true).message
    const mic = one.sign(text)
    for (let size = 0; size < wrapped.length; size++)
      expect(majorOf(() => two.unwrap(wrapped.subarray(0, size)))).toBe('GSS_S_DEFECTIVE_TOKEN')
    for (let size = 0; size < mic.length; size++)
      expect(majorOf(() => two.verify(text, mic.subarray(0, size)))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(majorOf(() => two.unwrap(concat(wrapped, Uint8Array.of(0))))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })

  test('are told from those of this very side, and from those that came before', () => {
    const [one, two] = ends(enctype)
    const token = one.wrap(text, true).message
    expect(majorOf(() => one.unwrap(token))).toBe('GSS_S_BAD_SIG')
    two.unwrap(token)
    expect(majorOf(() => two.unwrap(token))).toBe('GSS_S_DUPLICATE_TOKEN')
  })

  test('are no longer than the limit that was asked for, whatever the limit', () => {
    const [one] = ends(enctype)
    for (let limit = 80; limit < 400; limit++) {
      const size = one.wrapSizeLimit(limit, true)
      expect(one.wrap(new Uint8Array(size), true).message.length).toBeLessThanOrEqual(limit)
    }
    expect(one.wrapSizeLimit(10, true)).toBe(0)
  })

  test('tell that the context was deleted (§1.2.3)', () => {
    const [one, two] = ends(enctype)
    const token = one.deletionToken()!
    expect(majorOf(() => void two.processToken(one.sign(new Uint8Array())))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(majorOf(() => two.verify(new Uint8Array(), token))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(majorOf(() => void two.processToken(token))).toBe('GSS_S_COMPLETE')
    expect(majorOf(() => void two.processToken(token))).toBe('GSS_S_DUPLICATE_TOKEN')
  })
})

test("Heimdal's DES3 tokens, which have two octets more, are taken", () => {
  // gss_get_mic of Heimdal 7.8, with the key of the context; such a token of one octet more is not.
  const key = fromHex('2f8034491c91ab7ccbc7fb1f40dc239e19ad5720e637267c')
  const [, acceptor] = ends('des3-cbc-sha1', { key })
  const head = '06092a864886f71201020201010400ffffffff'
  const rest = 'a581d23317790c8213f9b686400451974833f0d3354107a211d805b90000'
  expect(majorOf(() => acceptor.verify(utf8('hello'), fromHex(`6031${head}${rest}`)))).toBe('GSS_S_GAP_TOKEN')
  expect(majorOf(() => acceptor.verify(utf8('hello'), fromHex(`6032${head}${rest}00`)))).toBe('GSS_S_DEFECTIVE_TOKEN')
})

test('the number of a token that RC4 signed can be changed by anybody (RFC 4757 §7.3), which its window tells', () => {
  const [one, two] = ends('arcfour-hmac')
  const mic = one.sign(utf8('signed'))
  mic[24]! ^= 8
  expect(majorOf(() => two.verify(utf8('signed'), mic))).toBe('GSS_S_GAP_TOKEN')
})

test.each(['des3-cbc-sha1', 'arcfour-hmac'])('numbers of %s tokens begin anew after 2^32', (enctype) => {
  const [one, two] = ends(enctype, { sequence: 2 ** 32 - 2 })
  const tokens = Array.from({ length: 5 }, () => one.sign(utf8('signed')))
  const statuses = [0, 1, 3, 2, 4, 3].map((i) => majorOf(() => two.verify(utf8('signed'), tokens[i]!)))
  expect(statuses.slice(0, 3)).toEqual(['GSS_S_COMPLETE', 'GSS_S_COMPLETE', 'GSS_S_GAP_TOKEN'])
  expect(statuses.slice(3)).toEqual(['GSS_S_UNSEQ_TOKEN', 'GSS_S_COMPLETE', 'GSS_S_DUPLICATE_TOKEN'])
})

test.each(['des3-cbc-sha1', 'arcfour-hmac'])('a context of %s keys goes on where it was exported', (enctype) => {
  const [one, two] = ends(enctype)
  two.unwrap(one.wrap(utf8('before'), true).message)
  const all = { enctypes: [enctypeByName(enctype)!], random }
  const three = Krb5Context.import(two.export(), all)
  expect(three.tokens).toBe('rfc1964')
  expect(majorOf(() => three.unwrap(one.wrap(utf8('after'), true).message))).toBe('GSS_S_COMPLETE')
})

test('RFC 4121 keys make no token of deletion, and take none', () => {
  const [one, two] = ends('aes256-cts')
  expect(one.deletionToken()).toBeUndefined()
  expect(majorOf(() => void two.processToken(one.sign(new Uint8Array())))).toBe('GSS_S_DEFECTIVE_TOKEN')
})
