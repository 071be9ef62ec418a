/** Messages in pieces under DES3 and RC4 keys, in the layouts of MIT's gss_wrap_iov, with which test/interop tries them. */
import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../src/bytes/index.ts'
import type { IovBuffer, IovType } from '../../../src/gss/iov.ts'
import { ends, majorOf } from '../../support/established.ts'

const octetsOf = (buffers: readonly IovBuffer[], type: IovType) =>
  concat(...buffers.flatMap((buffer) => (buffer.type === type && buffer.octets ? [buffer.octets] : [])))
const outcomeOf = (attempt: () => unknown) =>
  majorOf(() => {
    attempt()
    return undefined
  })
const signOnly: IovBuffer = { type: 'signOnly', octets: utf8('beside it') }
const data = (text: string): IovBuffer => ({ type: 'data', octets: utf8(text) })
const layouts: readonly (readonly IovBuffer[])[] = [
  [{ type: 'header' }, data('one piece'), { type: 'padding' }],
  [{ type: 'header' }, signOnly, data('behind'), { type: 'padding' }, { type: 'trailer' }],
  [{ type: 'header' }, data('before'), signOnly, data('and behind it'), { type: 'padding' }],
  [{ type: 'header' }, data('before'), { type: 'padding' }, signOnly],
  [{ type: 'header' }, data(''), { type: 'padding' }],
]

describe.each(['des3-cbc-sha1', 'arcfour-hmac'])('messages in pieces under a key of %s', (enctype) => {
  test.each(layouts.map((layout) => ({ layout, name: layout.map(({ type }) => type).join() })))(
    '$name come out as they were, and no other way',
    ({ layout }) => {
      const [one, two] = ends(enctype)
      for (const sealed of [true, false]) {
        const wrapped = one.wrapIov(layout, sealed)
        const opened = two.unwrapIov(wrapped)
        expect([opened.encrypted, opened.buffers.map(({ type }) => type)]).toEqual([
          sealed,
          layout.map(({ type }) => type),
        ])
        expect(octetsOf(opened.buffers, 'data')).toEqual(octetsOf(layout, 'data'))
        for (const [i, buffer] of one.wrapIov(layout, sealed).entries()) {
          // RC4 encrypts the sequence number by a stream, and the checksum covers it only where the text hangs on it
          const from = buffer.type === 'header' && !sealed ? 30 : 0
          for (let at = from; at < (buffer.octets?.length ?? 0); at++) {
            const changed = buffer.octets!.slice()
            changed[at]! ^= 1
            const pieces = wrapped.map((piece, n) => (n === i ? { ...piece, octets: changed } : piece))
            expect(
              outcomeOf(() => two.unwrapIov(pieces)),
              `${buffer.type} ${at}`,
            ).toMatch(/^GSS_S_/)
          }
        }
      }
    },
  )

  test('without anything that is only signed, they are one token', () => {
    const [one, two] = ends(enctype)
    const wrapped = one.wrapIov(layouts[0]!, true)
    const token = concat(...wrapped.map(({ octets }) => octets!))
    expect(two.unwrap(token)).toMatchObject({ message: utf8('one piece'), encrypted: true })
    const stream = two.unwrapIov([{ type: 'stream', octets: one.wrap(utf8('whole'), true).message }, { type: 'data' }])
    expect(octetsOf(stream.buffers, 'data')).toEqual(utf8('whole'))
  })

  test('what is only signed goes with a stream, too, and padding may stand at the end of the data', () => {
    const [one, two] = ends(enctype)
    const [header, , body, padding] = one.wrapIov(
      [{ type: 'header' }, signOnly, data('body'), { type: 'padding' }],
      true,
    )
    const octets = concat(header!.octets!, body!.octets!, padding!.octets!)
    const opened = two.unwrapIov([{ type: 'stream', octets }, signOnly, { type: 'data' }])
    expect(octetsOf(opened.buffers, 'data')).toEqual(utf8('body'))
    const again = one.wrapIov([{ type: 'header' }, data('body'), { type: 'padding' }], true)
    const joined: IovBuffer = { type: 'data', octets: concat(again[1]!.octets!, again[2]!.octets!) }
    expect(octetsOf(two.unwrapIov([again[0]!, joined]).buffers, 'data')).toEqual(utf8('body'))
  })

  test('in DCE style there is no padding: data of whole blocks alone', () => {
    const [one, two] = ends(enctype, { flags: ['dceStyle'] })
    for (const sealed of [true, false]) {
      const wrapped = one.wrapIov([{ type: 'header' }, signOnly, data('16 octets of it.')], sealed)
      expect(octetsOf(two.unwrapIov(wrapped).buffers, 'data')).toEqual(utf8('16 octets of it.'))
    }
    const odd = outcomeOf(() => one.wrapIov([{ type: 'header' }, data('odd')], true))
    expect(odd).toBe(enctype === 'arcfour-hmac' ? 'GSS_S_COMPLETE' : 'GSS_S_FAILURE')
  })

  test('a piece that is missing is told', () => {
    const [one, two] = ends(enctype)
    expect(() => one.wrapIov([{ type: 'header' }, data('x')], true)).toThrow(/needs one for the padding/)
    expect(() => one.wrapIov([data('x'), { type: 'padding' }], true)).toThrow(/needs one for the header/)
    expect(outcomeOf(() => two.unwrapIov([data('x')]))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(outcomeOf(() => two.unwrapIov([{ type: 'header', octets: utf8('x') }, data('x')]))).toBe(
      'GSS_S_DEFECTIVE_TOKEN',
    )
  })
})
