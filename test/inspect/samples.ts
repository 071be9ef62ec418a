/** Octets of every kind that the inspector explains, from the vectors: for tests that damage them. @module */
import { readFileSync } from 'node:fs'
import { vectors } from '../support/vectors.ts'

/** A file of the vectors. */
export const file = (name: string) => new Uint8Array(readFileSync(new URL(`../../vectors/${name}`, import.meta.url)))

/** A sample and its name. */
export interface Hex {
  readonly id: string
  readonly hex: string
}
const { contexts } = vectors<{
  contexts: readonly {
    id: string
    context_tokens: readonly { token: string }[]
    per_message: readonly { token: string; kind: string }[]
  }[]
}>('generated_gss_tokens')
const transcripts = vectors<{
  cases: readonly { id: string; exchanges: readonly { request: string; reply: string }[] }[]
}>('generated_kdc_transcripts').cases
const files = vectors<{
  ccaches: readonly { id: string; ccache: string }[]
  keytabs: readonly { id: string; keytab: string }[]
}>('generated_files')
const context = (id: string) => contexts.find((candidate) => candidate.id === id)!
const exchange = (id: string) => transcripts.find((candidate) => candidate.id === id)!.exchanges.at(-1)!
const { context_tokens: spnego } = context('aes256-cts.spnego.0x2e')
const { per_message: messages } = context('aes256-cts.krb5.0x2e')
const { per_message: legacy } = context('arcfour-hmac.krb5.0x2e')

/** One of each kind, at least. */
export const samples: readonly Hex[] = [
  { id: 'SPNEGO, first token', hex: spnego[0]!.token },
  { id: 'SPNEGO, second token', hex: spnego[1]!.token },
  ...['wrap', 'mic'].flatMap((kind) => [
    { id: `${kind} of RFC 4121`, hex: messages.find((message) => message.kind === kind)!.token },
    { id: `${kind} of RFC 1964`, hex: legacy.find((message) => message.kind === kind)!.token },
  ]),
  { id: 'AS-REQ of SPAKE', hex: exchange('spake-P-256').request },
  { id: 'AS-REP of SPAKE', hex: exchange('spake-P-256').reply },
  { id: 'TGS-REQ of S4U2Self', hex: exchange('s4u2self').request },
  ...vectors<{ samples: readonly Hex[] }>('inspect').samples,
  ...vectors<{ cases: readonly { message: string; hex: string }[] }>('generated_session')
    .cases.slice(0, 2)
    .map(({ message, hex }) => ({ id: `KRB-${message}`, hex })),
  ...files.ccaches.map(({ id, ccache }) => ({ id: `cache of ${id}`, hex: ccache })),
  ...files.keytabs.map(({ id, keytab }) => ({ id: `keytab ${id}`, hex: keytab })),
  { id: 'a PAC', hex: vectors<{ pac: { pac: string } }>('windows_pac').pac.pac },
  { id: 'an exported context', hex: Buffer.from(file('gssproxy/tok_acceptor.bin')).toString('hex') },
  { id: 'pcap', hex: Buffer.from(file('captures/login-to-samba-by-udp.pcap')).toString('hex') },
  { id: 'pcapng', hex: Buffer.from(file('captures/login-to-samba.pcapng').subarray(0, 1500)).toString('hex') },
]
