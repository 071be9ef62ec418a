/** SPAKE's arithmetic, transcript and keys: the vectors of RFC 9588, appendix B, all of them. */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { enctypeById } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { spakeGroups } from '../../../src/krb5/preauth/spake/groups.ts'
import { pointsOf } from '../../../src/krb5/preauth/spake/points.ts'
import { derivedKey, emptyTranscript, multiplier, transcribe } from '../../../src/krb5/preauth/spake/shared.ts'
import { vectors } from '../../support/vectors.ts'

interface Vector {
  readonly enctype: number
  readonly group: number
  readonly group_name: string
  readonly initial_key: string
  readonly w: string
  readonly x: string
  readonly y: string
  readonly T: string
  readonly S: string
  readonly K: string
  readonly support_der?: string
  readonly challenge_der: string
  readonly transcript_hash: string
  readonly kdc_req_body_der: string
  readonly K_prime: readonly string[]
}
const { vectors: cases } = vectors<{ vectors: readonly Vector[] }>('rfc9588_spake')

describe.each(
  cases.map((vector, i) => [`case ${i + 1}: enctype ${vector.enctype}, ${vector.group_name}`, vector] as const),
)('%s', (_, vector) => {
  const group = spakeGroups.find(({ id }) => id === vector.group)!
  const { m, n } = group
  const points = pointsOf(group)
  const [w, x, y, T, S, K] = [vector.w, vector.x, vector.y, vector.T, vector.S, vector.K].map(fromHex)
  const initialKey = new Key(enctypeById(vector.enctype)!, fromHex(vector.initial_key))

  test('the multiplier', () => expect(toHex(multiplier(initialKey, group, points))).toBe(vector.w))
  test('the public keys', () => {
    expect(toHex(points.blind(x!, w!, m))).toBe(vector.T)
    expect(toHex(points.blind(y!, w!, n))).toBe(vector.S)
  })
  test('the shared point, from both sides', () => {
    expect(toHex(points.unblind(x!, w!, n, S!))).toBe(vector.K)
    expect(toHex(points.unblind(y!, w!, m, T!))).toBe(vector.K)
  })
  test('the transcript and the keys', () => {
    const said = [vector.support_der ?? '', vector.challenge_der].map(fromHex)
    const transcript = transcribe(transcribe(emptyTranscript(group), group, ...said), group, S!)
    expect(toHex(transcript)).toBe(vector.transcript_hash)
    const result = { group, initialKey, multiplier: w!, shared: K!, transcript, body: fromHex(vector.kdc_req_body_der) }
    expect(vector.K_prime.map((_, i) => toHex(derivedKey(i, result).octets()))).toEqual(vector.K_prime)
  })
})

describe('what a peer may send for a point', () => {
  const small = spakeGroups[0]!
  test.each([
    ['the identity of edwards25519', 0, `01${'00'.repeat(31)}`],
    ['a point of order 2', 0, `ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`],
    ['a point of order 4', 0, '00'.repeat(32)],
    ['a point of order 8', 0, '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['no point of edwards25519', 0, `02${'00'.repeat(31)}`],
    ['a y that is not reduced', 0, `${'ff'.repeat(31)}7f`],
    ['too few octets', 0, '00'.repeat(31)],
    ['nothing', 0, ''],
    ['no point of P-256', 1, `02${'ff'.repeat(32)}`],
    ['the point at infinity of P-256', 1, '00'],
    ['a coordinate off the curve P-384', 2, `04${'01'.repeat(96)}`],
    ['a point of another curve', 3, toHex(spakeGroups[1]!.m)],
  ])('%s is refused', (_, at, hex) => {
    const { m } = spakeGroups[at]!
    const points = pointsOf(spakeGroups[at]!)
    const one = new Uint8Array(points.size).fill(8, at === 0 ? 0 : points.size - 1, at === 0 ? 1 : points.size)
    expect(() => points.unblind(one, one, m, fromHex(hex))).toThrow(RangeError)
  })

  test('a public key that makes the shared point the identity is refused', () => {
    const { m } = small
    const points = pointsOf(small)
    const scalar = points.scalar((size) => new Uint8Array(size).fill(7))
    const one = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
    expect(() => points.unblind(scalar, one, m, m)).toThrow(/gives away/)
  })
})
