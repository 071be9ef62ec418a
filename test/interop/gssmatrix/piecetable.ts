/** Rows: messages in pieces, some of them only signed (gss_wrap_iov), and what else is done with an established context. */
import type { GssFlag, IovBuffer, IovType } from 'kerb/gss'
import { expect } from 'vitest'
import { concat, equal, utf8 } from '../../../src/bytes/index.ts'
import type { Cannot, Row } from './cells.ts'
import { olderServices, services } from './messages.ts'
import { type Both, establish, type Pair } from './pair.ts'

const sizes = [1, 15, 16, 100, 5000]

/** Does something with a context of each enctype. */
const each = (flags: readonly GssFlag[], attempt: (both: Both) => Promise<void>) => async (pair: Pair) => {
  for (const service of services) await attempt(await establish(pair, { service, flags }))
}

/** Does something with a context whose tokens are of RFC 1964. */
const older =
  (
    { service, enctype }: (typeof olderServices)[number],
    flags: readonly GssFlag[],
    attempt: (both: Both) => Promise<void>,
  ) =>
  async (pair: Pair) => {
    const both = await establish(pair, { service, enctype, flags })
    expect(both.context.sessionKey().type).toBe(enctype)
    await attempt(both)
  }

const layouts = {
  whole: ['header', 'data', 'padding', 'trailer'],
  rotated: ['header', 'data'],
  several: ['header', 'data', 'data', 'padding', 'trailer'],
  signOnly: ['header', 'signOnly', 'data', 'padding', 'trailer'],
  rpc: ['header', 'signOnly', 'data', 'signOnly'],
} as const satisfies Record<string, readonly IovType[]>

const given = (layout: readonly IovType[], size: number): readonly IovBuffer[] =>
  layout.map((type, i) =>
    type === 'data' || type === 'signOnly'
      ? { type, octets: Uint8Array.from({ length: type === 'data' ? size : 20 }, (_, at) => (at * 3 + i) & 0xff) }
      : { type },
  )

const plain = (buffers: readonly IovBuffer[]) => buffers.filter(({ type }) => type === 'data' || type === 'signOnly')

/** Goes over and back: sealed and only signed, unless `kinds` says which. */
const pieces = (
  layout: readonly IovType[],
  flags: readonly GssFlag[] = ['mutualAuthentication'],
  kinds = [true, false],
) => each(flags, (both) => overAndBack(both, layout, sizes, kinds))

async function overAndBack(
  { context, peer }: Both,
  layout: readonly IovType[],
  sizes: readonly number[],
  kinds: readonly boolean[] = [true, false],
): Promise<void> {
  for (const size of sizes)
    for (const sealed of kinds) {
      const buffers = given(layout, size)
      const there = await peer.unwrapIov(context.wrapIov(buffers, sealed))
      expect([there.encrypted, there.status, plain(there.buffers)]).toEqual([sealed, 0, plain(buffers)])
      const back = context.unwrapIov(await peer.wrapIov(buffers, sealed))
      expect([back.encrypted, plain(back.buffers)]).toEqual([sealed, plain(buffers)])
    }
}

/** Changed in what is only signed, pieces are refused: by Heimdal with KRB_AP_ERR_BAD_INTEGRITY alone. */
const signed = (layout: readonly IovType[]) =>
  each(['mutualAuthentication'], async ({ context, peer }) => {
    const changed = (buffers: readonly IovBuffer[]) =>
      buffers.map(({ type, octets }) => ({
        type,
        octets: type === 'signOnly' ? octets!.map((octet) => octet ^ 1) : octets,
      }))
    for (const sealed of [true, false]) {
      const buffers = given(layout, 100)
      await expect(peer.unwrapIov(changed(context.wrapIov(buffers, sealed)))).rejects.toThrow(
        /^GSS_S_BAD_MIC|2529638943/,
      )
      const theirs = changed(await peer.wrapIov(buffers, sealed))
      expect(() => context.unwrapIov(theirs)).toThrow('GSS_S_BAD_SIG')
    }
  })

/** A whole token, opened into its piece of data. */
const stream = async ({ context, peer }: Both) => {
  for (const sealed of [true, false]) {
    const message = utf8('a message of some length')
    const buffers = (octets: Uint8Array): readonly IovBuffer[] => [{ type: 'stream', octets }, { type: 'data' }]
    const theirs = context.unwrapIov(buffers(await peer.wrap(message, sealed)))
    expect(plain(theirs.buffers)[0]!.octets).toEqual(message)
    const ours = await peer.unwrapIov(buffers(context.wrap(message, sealed).message))
    expect([ours.encrypted, plain(ours.buffers)[0]!.octets]).toEqual([sealed, message])
  }
}

/** What wrapping makes is as long as they reckon. */
const lengths = (of: readonly (readonly IovType[])[], flags: readonly GssFlag[] = ['mutualAuthentication']) =>
  each(flags, async ({ context, peer }) => {
    for (const layout of of)
      for (const size of sizes)
        for (const sealed of [true, false]) {
          const buffers = given(layout, size)
          const made = context.wrapIov(buffers, sealed).map(({ octets }) => octets?.length ?? 0)
          expect(made, `${layout} of ${size}`).toEqual(await peer.wrapIovLengths(buffers, sealed))
        }
  })

const micOfPieces = each(['mutualAuthentication'], async ({ context, peer }) => {
  const buffers: readonly IovBuffer[] = [
    { type: 'data', octets: utf8('one') },
    { type: 'signOnly', octets: utf8('two') },
    { type: 'data', octets: utf8('three') },
  ]
  expect(context.verifyIov(buffers, await peer.signIov(buffers))).toBeUndefined()
  expect(await peer.verify(utf8('onetwothree'), context.signIov(buffers))).toBe(0)
})

const associated =
  (last: 'padding' | 'trailer') =>
  async ({ context, peer }: Both) => {
    const also = utf8('associated')
    const message = utf8('a message')
    for (const sealed of [true, false]) {
      const wrapped = context.wrapIov(
        [{ type: 'header' }, { type: 'signOnly', octets: also }, { type: 'data', octets: message }, { type: last }],
        sealed,
      )
      const token = concat(...wrapped.flatMap(({ type, octets }) => (type === 'signOnly' ? [] : [octets!])))
      expect(await peer.unwrapAead(also, token)).toEqual({ encrypted: sealed, message })
      const octets = await peer.wrapAead(also, message, sealed)
      const back = context.unwrapIov([{ type: 'stream', octets }, { type: 'signOnly', octets: also }, { type: 'data' }])
      expect(equal(plain(back.buffers).at(-1)!.octets!, message) && back.encrypted === sealed).toBe(true)
    }
  }

/** As long as whole blocks of either enctype: DCE style has no padding. */
const wholeBlocks = [8, 16, 5000]

const inLayouts = (layouts: readonly (readonly IovType[])[], sizes: readonly number[]) => async (both: Both) => {
  for (const layout of layouts) await overAndBack(both, layout, sizes)
}

const dceStyle: readonly GssFlag[] = ['mutualAuthentication', 'dceStyle']

const noPieces = (because: string): Cannot => ({ because, says: /UNKNOWN|command/ })

const noStreams: Cannot = { because: 'Heimdal unwraps no streams.', says: /^GSS_S_FAILURE.*22/ }

export const pieceRows: readonly Row[] = [
  { mechanism: 'Pieces: header, data, padding, trailer', source: 'gss_wrap_iov', run: pieces(layouts.whole) },
  { mechanism: 'Pieces: header and data, rotated', source: 'RFC 4121 §4.2.5', run: pieces(layouts.rotated) },
  { mechanism: 'Pieces: data in two', source: 'gss_wrap_iov', run: pieces(layouts.several) },
  { mechanism: 'Pieces: one only signed', source: 'gss_wrap_iov', run: pieces(layouts.signOnly) },
  { mechanism: 'Pieces: two only signed, as in RPC', source: 'MS-RPCE §3.3.1.5', run: pieces(layouts.rpc) },
  {
    mechanism: 'Pieces in DCE style, sealed: header and data',
    source: 'MS-KILE §3.4.5.4',
    run: pieces(layouts.rotated, dceStyle, [true]),
  },
  {
    mechanism: 'Pieces in DCE style, sealed: two only signed',
    source: 'MS-RPCE §3.3.1.5',
    run: pieces(layouts.rpc, dceStyle, [true]),
  },
  {
    mechanism: 'Pieces in DCE style, nothing sealed',
    source: 'MS-KILE §3.4.5.4',
    run: async (pair) => {
      for (const layout of [layouts.rotated, layouts.rpc]) await pieces(layout, dceStyle, [false])(pair)
    },
    cannot: {
      heimdal: {
        because: 'Heimdal wraps no pieces in DCE style but sealed ones; it unwraps ours.',
        says: /^GSS_S_FAILURE.*22/,
      },
    },
  },
  {
    mechanism: 'Pieces with a changed one that is only signed, refused',
    source: 'MS-RPCE §3.3.1.5',
    run: signed(layouts.rpc),
  },
  {
    mechanism: 'A whole token as a stream',
    source: 'gss_unwrap_iov',
    run: each(['mutualAuthentication'], stream),
    cannot: { heimdal: noStreams },
  },
  {
    mechanism: 'Lengths of the pieces',
    source: 'gss_wrap_iov_length',
    run: lengths([layouts.whole, layouts.rotated, layouts.rpc]),
    cannot: { python: noPieces('python-gssapi has no such call.') },
  },
  {
    mechanism: 'Lengths in DCE style',
    source: 'gss_wrap_iov_length',
    run: lengths([layouts.rotated, layouts.rpc], dceStyle),
    cannot: { python: noPieces('python-gssapi has no such call.') },
  },
  {
    mechanism: 'MIC over pieces',
    source: 'gss_get_mic_iov',
    run: micOfPieces,
    cannot: { heimdal: noPieces('Heimdal has no such call.') },
  },
  {
    mechanism: 'Associated data',
    source: 'gss_wrap_aead',
    run: each(['mutualAuthentication'], associated('trailer')),
    cannot: { heimdal: noPieces('Heimdal has no such call.') },
  },
  ...olderServices.flatMap((one): Row[] => {
    const { name, enctype } = one
    const noDes3 = { because: 'Heimdal has no pieces for DES3.', says: /^GSS_S_FAILURE/ }
    const refused = {
      because: 'Heimdal 7.8 unwraps no pieces of RC4 in DCE style, nor its own; we do, as MIT.',
      says: /^GSS_S_DEFECTIVE_TOKEN/,
    }
    const isDes3 = enctype === 16
    return [
      {
        mechanism: `${name}: pieces`,
        source: 'RFC 1964 §1.2.2',
        run: older(one, ['mutualAuthentication'], inLayouts([layouts.whole, layouts.several, layouts.signOnly], sizes)),
        cannot: isDes3 ? { heimdal: noDes3 } : {},
      },
      {
        mechanism: `${name}: pieces in DCE style`,
        source: 'MS-RPCE §3.3.1.5',
        run: older(one, dceStyle, inLayouts([layouts.rotated, layouts.rpc], wholeBlocks)),
        cannot: { heimdal: isDes3 ? noDes3 : refused },
      },
      {
        mechanism: `${name}: a whole token as a stream`,
        source: 'gss_unwrap_iov',
        run: older(one, ['mutualAuthentication'], stream),
        cannot: { heimdal: isDes3 ? noDes3 : noStreams },
      },
      {
        mechanism: `${name}: associated data`,
        source: 'gss_wrap_aead',
        run: older(one, ['mutualAuthentication'], associated('padding')),
        cannot: { heimdal: noPieces('Heimdal has no such call.') },
      },
    ]
  }),
]
