/** Class 6: per-message tokens on a hostile way (RFC 4121 §4.2, RFC 1964 §1.2, RFC 4757 §7). */
import { describe, expect, test } from 'vitest'
import { concat, fromUtf8, toHex, utf8 } from '../../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypes } from '../../../src/crypto/enctypes/table.ts'
import type { IovBuffer } from '../../../src/gss/index.ts'
import type { Krb5Context } from '../../../src/gss/krb5/context.ts'
import { ends, majorOf } from '../../support/established.ts'
import { flipped, mutations } from '../../support/mutations.ts'

const modern = enctypes.map(({ name }) => name)
const older = deprecatedEnctypes.filter(({ id }) => id === 16 || id === 23).map(({ name }) => name)
const text = utf8('a message of some length')
const REFUSED = /^GSS_S_(DEFECTIVE_TOKEN|BAD_SIG|BAD_MECH)$/

/** What a token is for, how it is made, and what opening it comes to: the message, or nothing where it is the token that proves one. */
interface Kind {
  readonly name: string
  make(sender: Krb5Context): Uint8Array
  open(receiver: Krb5Context, token: Uint8Array): Uint8Array | undefined
  /** Whether nothing protects the octet, so that it may change when what comes out does not. */
  free?(at: number, sender: Krb5Context): boolean
}

const unwrapped = (receiver: Krb5Context, token: Uint8Array) => {
  const { message, supplementary } = receiver.unwrap(token)
  expect(supplementary).toBeUndefined()
  return message
}
const RRC = (at: number) => at === 6 || at === 7
/**
 * RC4 encrypts the number by a stream, and where the text does not hang on it, nothing proves it (RFC 4757 §7.3). Nor does
 * anything prove by which of its identifiers the frame names the mechanism, which differ in one bit.
 */
const unproved = (at: number, { tokens }: Krb5Context, name: string) =>
  tokens === 'rfc1964' && (at === ALIASED || (name === 'rc4-hmac' && at >= 21 && at < 25))
/** Where Microsoft's identifier of the mechanism is another one than RFC 1964's. */
const ALIASED = 7

const kinds = (enctype: string): readonly Kind[] => [
  {
    name: 'sealed',
    make: (sender) => sender.wrap(text, true).message,
    open: unwrapped,
    free: (at, sender) => (sender.tokens === 'rfc1964' ? at === ALIASED : RRC(at)),
  },
  {
    name: 'signed',
    make: (sender) => sender.wrap(text, false).message,
    open: unwrapped,
    free: (at, sender) => (sender.tokens === 'rfc1964' ? unproved(at, sender, enctype) : RRC(at)),
  },
  {
    name: 'MIC',
    make: (sender) => sender.sign(text),
    open: (receiver, token) => void expect(receiver.verify(text, token)).toBeUndefined(),
    free: (at, sender) => unproved(at, sender, enctype),
  },
]

/** Turned right by `count` octets, as its header says (RFC 4121 §4.2.5); `told` is what the header says when it lies. */
function rotated(token: Uint8Array, count: number, told = count): Uint8Array {
  const [head, payload] = [token.slice(0, 16), token.subarray(16)]
  const shift = count % payload.length
  head[6] = told >> 8
  head[7] = told
  return concat(head, payload.subarray(payload.length - shift), payload.subarray(0, payload.length - shift))
}

/** Opens every mutation of a token: each is refused and leaves the context as it was, or changes nothing that comes out. */
function withstand(receiver: Krb5Context, sender: Krb5Context, token: Uint8Array, { open, free }: Kind): void {
  const before = receiver.export()
  for (const { what, at, octets } of mutations(token)) {
    if (free?.(at, sender) && octets.length === token.length) continue
    expect(
      majorOf(() => void open(receiver, octets)),
      what,
    ).toMatch(REFUSED)
  }
  expect(toHex(receiver.export())).toBe(toHex(before))
  const message = open(receiver, token)
  if (message) expect(toHex(message)).toBe(toHex(text))
  const again = () => (message ? receiver.unwrap(token) : receiver.verify(text, token))
  expect(majorOf(again)).toBe('GSS_S_DUPLICATE_TOKEN')
}

describe.each([...modern, ...deprecatedEnctypes.map(({ name }) => name)])(
  'tokens of %s, every octet flipped and every length cut',
  (enctype) => {
    test.each(kinds(enctype))('$name: refused, and the context is as it was', (kind) => {
      const [one, two] = ends(enctype)
      withstand(two, one, kind.make(one), kind)
      const [three, four] = ends(enctype, { acceptorSubkey: true })
      withstand(three, four, kind.make(four), kind)
    })
  },
)

describe.each(modern)('tokens of %s (RFC 4121 §4.2)', (enctype) => {
  test.each([true, false])('sealed: %s, turned by 0 to one more than there are octets, and turned again', (seal) => {
    const [one, two] = ends(enctype, { flags: [] })
    const token = one.wrap(text, seal).message
    const size = token.length - 16
    for (let count = 0; count <= size + 1; count++) {
      const turned = rotated(token, count)
      expect(fromUtf8(two.unwrap(turned).message), `RRC ${count}`).toBe(fromUtf8(text))
      const again = rotated(turned, 5, count + 5)
      expect(fromUtf8(two.unwrap(again).message), `RRC ${count} + 5`).toBe(fromUtf8(text))
      // Turned without saying so, or said without turning.
      for (const lie of [rotated(turned, 5, count), rotated(turned, 0, count + 1)])
        expect(
          majorOf(() => two.unwrap(lie)),
          `RRC ${count}`,
        ).toBe('GSS_S_BAD_SIG')
    }
    for (const count of [size, 2 * size, 0xffff - (0xffff % size)])
      expect(fromUtf8(two.unwrap(rotated(token, 0, count)).message)).toBe(fromUtf8(text))
  })

  test.each([true, false])('sealed: %s and turned, every octet flipped and every length cut', (seal) => {
    for (const count of [1, 28]) {
      const [one, two] = ends(enctype)
      const kind = { name: 'turned', make: () => token, open: unwrapped, free: RRC }
      const token = rotated(one.wrap(text, seal).message, count)
      withstand(two, one, token, kind)
    }
  })

  test.each([true, false])('sealed: %s, the extra count is protected', (seal) => {
    const [one, two] = ends(enctype)
    const token = one.wrap(text, seal).message
    for (const at of [4, 5])
      for (let bit = 0; bit < 8; bit++) {
        const { what, octets } = flipped(token, at, bit)
        expect(
          majorOf(() => two.unwrap(octets)),
          what,
        ).toMatch(REFUSED)
      }
    expect(majorOf(() => two.unwrap(token))).toBe('GSS_S_COMPLETE')
  })

  test('a token comes back to who sent it, with its flag of direction or without', () => {
    const [one, two] = ends(enctype)
    for (const token of [one.wrap(text, true).message, one.wrap(text, false).message])
      for (const octets of [token, flipped(token, 2, 0).octets]) {
        expect(majorOf(() => one.unwrap(octets))).toBe('GSS_S_BAD_SIG')
        if (octets !== token) expect(majorOf(() => two.unwrap(octets))).toBe('GSS_S_BAD_SIG')
      }
    const mic = one.sign(text)
    for (const octets of [mic, flipped(mic, 2, 0).octets])
      expect(majorOf(() => one.verify(text, octets))).toBe('GSS_S_BAD_SIG')
  })

  test('a sealed token is not taken for a signed one, nor the reverse', () => {
    const [one, two] = ends(enctype)
    const [sealed, signed] = [one.wrap(text, true).message, one.wrap(text, false).message]
    const bare = flipped(sealed, 2, 1).octets
    expect(majorOf(() => two.unwrap(bare))).toBe('GSS_S_DEFECTIVE_TOKEN')
    bare.set(signed.subarray(4, 6), 4) // the size that a checksum has
    expect(majorOf(() => two.unwrap(bare))).toBe('GSS_S_BAD_SIG')
    expect(majorOf(() => two.unwrap(flipped(signed, 2, 1).octets))).toBe('GSS_S_BAD_SIG')
  })

  test('a token of one kind is not taken for another', () => {
    const [one, two] = ends(enctype)
    const [wrap, mic] = [one.wrap(text, false).message, one.sign(text)]
    const [asMic, asWrap] = [wrap.slice(), mic.slice()]
    asMic.set(mic.subarray(0, 8))
    asWrap.set(wrap.subarray(0, 8))
    for (const octets of [wrap, asMic, asMic.subarray(0, mic.length)])
      expect(majorOf(() => two.verify(text, octets))).toMatch(REFUSED)
    for (const octets of [mic, asWrap, concat(asWrap.subarray(0, 16), text, asWrap.subarray(16))])
      expect(majorOf(() => two.unwrap(octets))).toMatch(REFUSED)
    expect(majorOf(() => two.verify(new Uint8Array(0), mic))).toBe('GSS_S_BAD_SIG')
  })

  test('the filler of a MIC is FF, and so is that of a wrap token', () => {
    const [one, two] = ends(enctype)
    const mic = one.sign(text)
    for (let at = 3; at < 8; at++)
      for (const filler of [0, 0xfe, 0x7f]) {
        const changed = mic.slice()
        changed[at] = filler
        expect(majorOf(() => two.verify(text, changed))).toBe('GSS_S_DEFECTIVE_TOKEN')
      }
    const wrap = one.wrap(text, true).message
    wrap[3] = 0
    expect(majorOf(() => two.unwrap(wrap))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })

  test('a key that is the acceptor’s choice is not taken for the initiator’s', () => {
    const [one, two] = ends(enctype, { acceptorSubkey: true })
    const [three, four] = ends(enctype)
    const tokens = [one.wrap(text, true).message, three.wrap(text, true).message]
    expect(majorOf(() => two.unwrap(flipped(tokens[0]!, 2, 2).octets))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(majorOf(() => four.unwrap(flipped(tokens[1]!, 2, 2).octets))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(majorOf(() => four.unwrap(tokens[0]!))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })
})

describe.each(modern)('pieces of a message of %s', (enctype) => {
  const layout = (): readonly IovBuffer[] => [
    { type: 'header' },
    { type: 'signOnly', octets: utf8('head') },
    { type: 'data', octets: utf8('one') },
    { type: 'signOnly', octets: utf8('between') },
    { type: 'data', octets: utf8('another') },
    { type: 'padding' },
    { type: 'trailer' },
  ]

  test.each([
    [true, []],
    [false, []],
    [true, ['dceStyle']],
    [false, ['dceStyle']],
  ] as const)(
    'sealed: %s, flags %j: any octet changed or missing is refused, and the context is as it was',
    (seal, flags) => {
      const [one, two] = ends(enctype, { flags: [...flags, 'replayDetection', 'outOfSequenceDetection'] })
      const pieces = one.wrapIov(layout(), seal)
      const before = two.export()
      for (const [index, { type, octets = new Uint8Array(0) }] of pieces.entries())
        for (const mutation of mutations(octets, { salt: index })) {
          if (type === 'header' && RRC(mutation.at) && mutation.octets.length === octets.length) continue
          const changed = pieces.map((piece, i) => (i === index ? { type, octets: mutation.octets } : piece))
          expect(
            majorOf(() => two.unwrapIov(changed)),
            `${type} ${mutation.what}`,
          ).toMatch(REFUSED)
        }
      expect(toHex(two.export())).toBe(toHex(before))
      const { buffers } = two.unwrapIov(pieces)
      expect(buffers.flatMap(({ type, octets }) => (type === 'data' ? [fromUtf8(octets!)] : []))).toEqual([
        'one',
        'another',
      ])
    },
  )

  test.each([true, false])('sealed: %s, in another order, twice or left out are refused', (seal) => {
    const [one, two] = ends(enctype)
    const pieces = one.wrapIov(layout(), seal)
    const order = (...picked: number[]) => picked.map((index) => pieces[index]!)
    for (const changed of [
      order(0, 3, 2, 1, 4, 6),
      order(0, 1, 4, 3, 2, 6),
      order(0, 1, 2, 4, 6),
      order(0, 1, 2, 3, 6),
      order(0, 1, 1, 2, 3, 4, 6),
      order(0, 1, 2, 2, 3, 4, 6),
      order(0, 1, 2, 3, 4),
      order(1, 2, 3, 4, 6),
    ])
      expect(majorOf(() => two.unwrapIov(changed))).toMatch(REFUSED)
    expect(majorOf(() => two.unwrapIov(pieces))).toBe('GSS_S_COMPLETE')
  })
})

describe.each(older)('tokens of deletion of %s (RFC 1964 §1.2.3)', (enctype) => {
  test('every octet flipped and every length cut, are refused, and the context is as it was', () => {
    const [one, two] = ends(enctype)
    const token = one.deletionToken()!
    const before = two.export()
    for (const { what, at, octets } of mutations(token)) {
      if (unproved(at, one, enctype) && octets.length === token.length) continue
      expect(
        majorOf(() => void two.processToken(octets)),
        what,
      ).toMatch(REFUSED)
    }
    expect(toHex(two.export())).toBe(toHex(before))
    expect(majorOf(() => void two.processToken(token))).toBe('GSS_S_COMPLETE')
  })
})
