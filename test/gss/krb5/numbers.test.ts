/** Class 6: the numbers of tokens, at their ends and out of order (RFC 2743 §1.2.3, RFC 4121 §4.2.6, RFC 1964 §1.2.1.1). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromUtf8, utf8 } from '../../../src/bytes/index.ts'
import { enctypeById, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import type { GssFlag } from '../../../src/gss/flags.ts'
import { LAST_SEQUENCE_NUMBER, rfc4121 } from '../../../src/gss/krb5/tokens.ts'
import { fixedEnv } from '../../support/env.ts'
import { ends, majorOf } from '../../support/established.ts'
import { long } from '../../support/mutations.ts'

const RUNS = long ? 2000 : 40
const { random } = fixedEnv()
const families = ['aes256-cts', 'des3-cbc-sha1', 'arcfour-hmac']
const message = (n: number) => utf8(`message ${n}`)

describe.each(families)('numbers of %s', (enctype) => {
  // Where numbers begin anew, and where they would be told apart no longer.
  const starts = [0, 1, 2 ** 31 - 3, 2 ** 32 - 4, 2 ** 32 - 1]

  test('of tokens that come in any order, again, and from elsewhere: each is taken once, whatever the start', () => {
    const order = fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 40 })
    const foreign = ends(enctype)[0].wrap(message(0), true).message
    fc.assert(
      fc.property(fc.constantFrom(...starts), order, fc.boolean(), (sequence, numbers, seal) => {
        const flags: GssFlag[] = ['replayDetection']
        const [one, two] = ends(enctype, { sequence, flags })
        const tokens = Array.from({ length: 12 }, (_, n) => one.wrap(message(n), seal).message)
        const taken: string[] = []
        expect(majorOf(() => two.unwrap(foreign))).toMatch(/^GSS_S_(BAD_SIG|DEFECTIVE_TOKEN)$/)
        expect(majorOf(() => one.unwrap(tokens[numbers[0]!]!))).toBe('GSS_S_BAD_SIG')
        for (const n of numbers) {
          const { message: opened, supplementary } = two.unwrap(tokens[n]!)
          expect(fromUtf8(opened)).toBe(`message ${n}`)
          if (supplementary === undefined) taken.push(fromUtf8(opened))
          else expect(supplementary).toBe('GSS_S_DUPLICATE_TOKEN')
        }
        expect(new Set(taken).size).toBe(taken.length)
        expect(new Set(numbers).size).toBe(taken.length)
      }),
      { numRuns: RUNS },
    )
  })

  test('in sequence, over the end of 32 bits, are complete; one before the first is old', () => {
    for (const sequence of starts) {
      const [one, two] = ends(enctype, { sequence })
      for (let n = 0; n < 6; n++)
        expect(majorOf(() => two.unwrap(one.wrap(message(n), n % 2 === 0).message))).toBe('GSS_S_COMPLETE')
    }
    for (const sequence of [0, 4, 2 ** 32 - 1]) {
      const [one, two] = ends(enctype, { sequence, expected: sequence + 1 })
      expect(majorOf(() => two.unwrap(one.wrap(message(0), true).message))).toBe('GSS_S_OLD_TOKEN')
      expect(majorOf(() => two.unwrap(one.wrap(message(1), true).message))).toBe('GSS_S_COMPLETE')
    }
  })
})

describe('numbers of 64 bits (RFC 4121 §4.2.6.2)', () => {
  const last = LAST_SEQUENCE_NUMBER
  const pair = (sequence: number) => ends(enctypes[0]!.name, { sequence, flags: ['replayDetection'] })

  test('end where they could be told apart no longer: nothing is sent with the number of another', () => {
    const [one, two] = pair(last - 1)
    const tokens = [one.wrap(message(0), true).message, one.sign(message(1))]
    expect(majorOf(() => two.unwrap(tokens[0]!))).toBe('GSS_S_COMPLETE')
    expect(majorOf(() => two.verify(message(1), tokens[1]!))).toBe('GSS_S_COMPLETE')
    expect(majorOf(() => two.verify(message(1), tokens[1]!))).toBe('GSS_S_DUPLICATE_TOKEN')
    for (const use of [
      () => one.wrap(message(2), true),
      () => one.wrap(message(2), false),
      () => one.wrapIov([{ type: 'header' }], true),
    ])
      expect(use).toThrow(expect.objectContaining({ major: 'GSS_S_CONTEXT_EXPIRED' }))
    expect(() => one.sign(message(2))).toThrow(expect.objectContaining({ major: 'GSS_S_CONTEXT_EXPIRED' }))
  })
  test('larger than that are refused, however often and by whichever key', () => {
    const [one, two] = pair(7)
    const { keytype, keyvalue } = one.state().initiatorKey
    const key = new Key(enctypeById(keytype)!, keyvalue)
    const direction = { key, fromAcceptor: false, acceptorSubkey: false, dceStyle: false }
    const makers: readonly ((number: number) => string)[] = [
      (number) => majorOf(() => two.unwrap(rfc4121.makeWrap(message(0), true, number, direction, random))),
      (number) => majorOf(() => two.unwrap(rfc4121.makeWrap(message(0), false, number, direction, random))),
      (number) => majorOf(() => two.verify(message(0), rfc4121.makeMic(message(0), number, direction))),
    ]
    for (const open of makers) {
      for (const number of [last + 1, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64 - 2048])
        for (let n = 0; n < 2; n++) expect(open(number)).toBe('GSS_S_DEFECTIVE_TOKEN')
      expect(majorOf(() => two.unwrap(one.wrap(message(1), true).message))).toBe('GSS_S_COMPLETE')
    }
    expect(makers.map((open) => [open(last - 1), open(last - 1), open(last)])).toEqual([
      ['GSS_S_COMPLETE', 'GSS_S_DUPLICATE_TOKEN', 'GSS_S_COMPLETE'],
      ...Array(2).fill(['GSS_S_DUPLICATE_TOKEN', 'GSS_S_DUPLICATE_TOKEN', 'GSS_S_DUPLICATE_TOKEN']),
    ])
  })
})
