/** Rows: channel bindings (RFC 5929, RFC 9266), the same on both sides or not. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ChannelBindings, flagBits, type GssFlag, tlsExporter, tlsServerEndPoint, tlsUnique } from 'kerb/gss'
import { expect } from 'vitest'
import { utf8 } from '../../../src/bytes/index.ts'
import { withLibdefaults } from '../matrix/ours.ts'
import type { Cannot, Row } from './cells.ts'
import { exchangeMessages } from './messages.ts'
import { aliceAt, establish, initiatingBy, type Pair, type Wanted } from './pair.ts'

const filled = (size: number, octet: number) => new Uint8Array(size).fill(octet)
const exporter = tlsExporter(filled(32, 7))
const others = tlsExporter(filled(32, 8))

/** The same bindings on both sides are taken, by krb5 and SPNEGO. */
const same = (bindingsOf: (pair: Pair) => ChannelBindings) => async (pair: Pair) => {
  const bindings = bindingsOf(pair)
  for (const mech of ['krb5', 'spnego'] as const) {
    const both = await establish(pair, { mech, bindings: { initiator: bindings, acceptor: bindings } })
    expect(both.context.actualFlags.has('channelBound')).toBe(true)
    await exchangeMessages(both)
  }
}

const refused =
  (bindings: NonNullable<Wanted['bindings']>): Row['run'] =>
  async (pair) => {
    for (const mech of ['krb5', 'spnego'] as const)
      await expect(establish(pair, { mech, bindings })).rejects.toMatchObject({ major: 'GSS_S_BAD_BINDINGS' })
  }

/** An initiator that says it would have sent bindings: ours by a flag, MIT's by a line of krb5.conf. */
async function aware(pair: Pair): Promise<void> {
  const alice = await aliceAt(pair.kdc)
  const { KRB5_CONFIG = '' } = withLibdefaults(alice, { client_aware_channel_bindings: 'true' })
  using by = await initiatingBy(pair, { ...alice, KRB5_CONFIG })
  const flags: readonly GssFlag[] = ['mutualAuthentication', 'channelBound']
  for (const mech of ['krb5', 'spnego'] as const)
    await expect(establish(pair, { ...by, mech, flags, bindings: { acceptor: exporter } })).rejects.toMatchObject({
      major: 'GSS_S_BAD_BINDINGS',
    })
}

const taken = (bindings: NonNullable<Wanted['bindings']>) => async (pair: Pair) => {
  for (const mech of ['krb5', 'spnego'] as const) await exchangeMessages(await establish(pair, { mech, bindings }))
}

function serverEndPoint({ kdc }: Pair): ChannelBindings {
  const pem = readFileSync(join(kdc.dir, 'pki/kdc.pem'), 'latin1')
  const [, base64] = /-----BEGIN CERTIFICATE-----([^-]*)/.exec(pem)!
  return tlsServerEndPoint(Buffer.from(base64!, 'base64'))!
}

const unaware: Cannot = {
  because: 'Heimdal 7.8 knows no word of an initiator that it is aware of bindings.',
  says: /resolved/,
}

export const bindingRows: readonly Row[] = [
  { mechanism: 'Bindings: tls-server-end-point', source: 'RFC 5929 §4', run: same(serverEndPoint) },
  { mechanism: 'Bindings: tls-unique', source: 'RFC 5929 §3', run: same(() => tlsUnique(filled(12, 1))) },
  { mechanism: 'Bindings: tls-exporter', source: 'RFC 9266', run: same(() => exporter) },
  {
    mechanism: 'Bindings with addresses',
    source: 'RFC 4121 §4.1.1.2',
    run: same(() => ({
      applicationData: utf8('x'),
      initiator: { type: 2, address: filled(4, 127) },
      acceptor: { type: 24, address: filled(16, 1) },
    })),
  },
  {
    mechanism: 'Other bindings refused',
    source: 'RFC 2743 §1.1.6',
    run: refused({ initiator: exporter, acceptor: others }),
  },
  { mechanism: 'Bindings of the initiator alone', source: 'RFC 2743 §1.1.6', run: taken({ initiator: exporter }) },
  { mechanism: 'Bindings of the acceptor alone', source: 'RFC 4121 §4.1.1.2', run: taken({ acceptor: exporter }) },
  {
    mechanism: 'Bindings of the acceptor alone, of which the initiator is aware, refused',
    source: 'MS-KILE §3.2.5.8',
    run: aware,
    cannot: { heimdal: unaware },
  },
  {
    mechanism: 'Whether the channel was bound, told',
    source: "MIT's GSS_C_CHANNEL_BOUND_FLAG",
    cannot: {
      heimdalInitiate: { because: 'Heimdal 7.8 does not tell whether the channel was bound.', says: /deeply equal/ },
    },
    async run(pair) {
      for (const initiator of [exporter, undefined]) {
        const bindings = { acceptor: exporter, ...(initiator && { initiator }) }
        const { context, peer } = await establish(pair, { bindings })
        const bound = ((await peer.inquire()).flags & flagBits.channelBound) !== 0
        const acceptors = pair.we === 'accept' ? context.actualFlags.has('channelBound') : bound
        expect([acceptors]).toEqual([initiator !== undefined])
      }
    },
  },
]
