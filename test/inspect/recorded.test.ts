/**
 * What the inspector says of octets that others made: MIT krb5 1.20.1 (`vectors/generated_*.json`) and Windows Server 2022
 * (`vectors/windows_pac.json`). Each snapshot was read against the facts that the vectors state beside the octets.
 */

import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypeById, enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { formatItems, type InspectOptions, inspect } from '../../src/inspect/index.ts'
import type { ServiceKey } from '../../src/krb5/credential.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { vectors } from '../support/vectors.ts'

interface KeyVector {
  readonly enctype?: number
  readonly etype?: number
  readonly key: string
  readonly kvno?: number
}
interface Context {
  readonly id: string
  readonly server: string
  readonly server_key: KeyVector
  readonly context_tokens: readonly { readonly token: string }[]
  readonly per_message: readonly { readonly token: string; readonly message: string; readonly kind: string }[]
  readonly session_key: KeyVector
  readonly initiator_subkey: KeyVector
  readonly acceptor_subkey?: KeyVector
}
interface Transcript {
  readonly id: string
  readonly exchanges: readonly {
    readonly request: string
    readonly reply: string
    readonly keys: Readonly<Record<string, KeyVector | undefined>>
  }[]
}

const all = [...enctypes, ...deprecatedEnctypes]
const serviceKey = (name: string, { enctype, etype, key, kvno = 1 }: KeyVector): ServiceKey => ({
  principal: parsePrincipal(name),
  kvno,
  key: new Key(enctypeById(enctype ?? etype ?? 0, all)!, fromHex(key)),
})
const explained = (input: Uint8Array | string, options?: InspectOptions) =>
  `${formatItems(inspect(input, options)).join('\n')}\n`
const snapshot = (name: string) => `snapshots/${name.replaceAll(/[^\w.-]/g, '-')}.txt`

const { contexts } = vectors<{ contexts: readonly Context[] }>('generated_gss_tokens')
const transcripts = vectors<{ cases: readonly Transcript[]; krbtgt_keys: readonly KeyVector[] }>(
  'generated_kdc_transcripts',
)
const files = vectors<{
  ccaches: readonly { id: string; ccache: string }[]
  keytabs: readonly { id: string; keytab: string }[]
}>('generated_files')
const windows = vectors<{
  ticket: { ticket: string; server_key: KeyVector; kdc_keys: readonly KeyVector[] }
  pac: { pac: string }
}>('windows_pac')

/** All the tokens of a context, one behind the other. */
const tokensOf = ({ context_tokens, per_message }: Context) =>
  [...context_tokens, ...per_message].map(({ token }) => token).join('\n')

describe('a context', () => {
  test.each(['aes256-cts.spnego.0x2e', 'aes128-sha2.krb5.0x100e', 'arcfour-hmac.krb5.0x2e', 'aes256-cts.krb5.cb'])(
    '%s is explained token by token with the key of the service',
    async (id) => {
      const context = contexts.find((candidate) => candidate.id === id)!
      const keys = [serviceKey(context.server, context.server_key)]
      await expect(explained(tokensOf(context), { keys })).toMatchFileSnapshot(snapshot(id))
    },
  )

  test.each(contexts)('$id opens to the messages that it was made with', (context) => {
    const text = explained(tokensOf(context), { keys: [serviceKey(context.server, context.server_key)] })
    const wraps = context.per_message.filter(({ kind }) => kind === 'wrap')
    expect(text.match(/^ {4}message: .*$/gm)).toHaveLength(wraps.length)
    for (const { message } of wraps)
      expect(text).toContain(`message: ${message === '' ? 'empty' : message.slice(0, 96)}`)
  })

  test.each(contexts)('$id gives away no key, opened or not', (context) => {
    const keys = [serviceKey(context.server, context.server_key)]
    const secrets = [context.server_key, context.session_key, context.initiator_subkey, context.acceptor_subkey]
    for (const text of [explained(tokensOf(context)), explained(tokensOf(context), { keys })])
      for (const secret of secrets) if (secret) expect(text).not.toContain(secret.key.slice(0, 16))
  })
})

test('keys are shown where they are asked for', () => {
  const context = contexts[0]!
  const keys = [serviceKey(context.server, context.server_key)]
  expect(explained(tokensOf(context), { keys, showKeys: true })).toContain(context.session_key.key)
})

const openedBy = ({ exchanges }: Transcript): ServiceKey[] => [
  ...transcripts.krbtgt_keys.map((key) => serviceKey('krbtgt/VEC.TEST@VEC.TEST', key)),
  ...exchanges.flatMap(({ keys }) =>
    Object.entries(keys).flatMap(([name, key]) =>
      key && (name === 'client_long_term' || name === 'ticket_key') ? [serviceKey(`${name}@VEC.TEST`, key)] : [],
    ),
  ),
]
const messagesOf = ({ exchanges }: Transcript) => exchanges.flatMap(({ request, reply }) => [request, reply]).join('\n')

describe('a run of exchanges with the KDC', () => {
  test.each(['enc-timestamp:aes256-cts', 'fast-encrypted-challenge', 'fast-tgs', 'u2u', 's4u2self', 'spake-P-256'])(
    '%s is explained message by message with the keys of its realm',
    async (id) => {
      const transcript = transcripts.cases.find((candidate) => candidate.id === id)!
      const text = explained(messagesOf(transcript), { keys: openedBy(transcript) })
      await expect(text).toMatchFileSnapshot(snapshot(id))
    },
  )

  test.each(transcripts.cases)('$id gives away no key', (transcript) => {
    const text = explained(messagesOf(transcript), { keys: openedBy(transcript) })
    for (const { keys } of transcript.exchanges)
      for (const secret of Object.values(keys)) if (secret) expect(text).not.toContain(secret.key.slice(0, 16))
  })
})

describe('a file', () => {
  test.each(files.ccaches.slice(-1))('the cache $id is explained entry by entry', async ({ id, ccache }) => {
    await expect(explained(fromHex(ccache))).toMatchFileSnapshot(snapshot(`cache-${id}`))
  })
  test.each(files.keytabs.slice(0, 1))('the keytab $id is explained entry by entry', async ({ id, keytab }) => {
    await expect(explained(fromHex(keytab))).toMatchFileSnapshot(snapshot(`keytab-${id}`))
  })
  test.each([
    ...files.ccaches.map(({ id, ccache }) => ({ id, octets: ccache, kind: /^credential cache: / })),
    ...files.keytabs.map(({ id, keytab }) => ({ id, octets: keytab, kind: /^keytab: / })),
  ])('$id is taken for what it is', ({ octets, kind }) => expect(explained(fromHex(octets))).toMatch(kind))
})

describe('a ticket of Windows Server 2022', () => {
  const { ticket, server_key, kdc_keys } = windows.ticket
  const service = serviceKey('service@W2022-L7.BASE', server_key)

  test('is explained down to its PAC', async () => {
    const keys = [service, ...kdc_keys.map((key) => serviceKey('krbtgt/W2022-L7.BASE@W2022-L7.BASE', key))]
    const text = explained(ticket, { keys })
    await expect(text).toMatchFileSnapshot(snapshot('windows-ticket'))
    expect(text).toContain('PAC: verified')
  })
  test("has a PAC that is partly verified without the KDC's key", () =>
    expect(explained(ticket, { keys: [service] })).toContain('PAC: partial'))
})

test('a PAC by itself is explained', () =>
  expect(explained(windows.pac.pac)).toMatch(/^PAC: 4 octets|^PAC: \d+ octets, 4 buffers/))

test.each([
  ['hexadecimal', (hex: string) => hex],
  ['hexadecimal with colons', (hex: string) => hex.replaceAll(/(..)(?=.)/g, '$1:')],
  ['wrapped hexadecimal, as xxd -p', (hex: string) => hex.replaceAll(/(.{60})/g, '$1\n')],
  ['base64', (hex: string) => Buffer.from(hex, 'hex').toString('base64')],
  ['base64 of URLs', (hex: string) => Buffer.from(hex, 'hex').toString('base64url')],
  ['a header', (hex: string) => `Authorization: Negotiate ${Buffer.from(hex, 'hex').toString('base64')}\r\n`],
  ['octets', (hex: string) => fromHex(hex)],
  ['text in octets', (hex: string) => new TextEncoder().encode(hex)],
  ['a dump as of xxd', (hex: string) => dump(hex, (at) => `${at.toString(16).padStart(8, '0')}: `, 2)],
  ['a dump as of hexdump -C', (hex: string) => dump(hex, (at) => `${at.toString(16).padStart(8, '0')}  `, 1)],
  ['a dump as of tshark -x', (hex: string) => dump(hex, (at) => `${at.toString(16).padStart(4, '0')}  `, 1)],
  ['a dump as of tcpdump -X', (hex: string) => dump(hex, (at) => `\t0x${at.toString(16).padStart(4, '0')}:  `, 2)],
])('%s stands for the same token', (_, written) => {
  const { token } = contexts.find(({ id }) => id === 'aes256-cts.spnego.0x2e')!.context_tokens[0]!
  expect(inspect(written(token))).toEqual(inspect(fromHex(token)))
})

/** Sixteen octets a line, in groups, with their text behind them. */
function dump(hex: string, offset: (at: number) => string, group: number): string {
  const octets = fromHex(hex)
  const lines = Array.from({ length: Math.ceil(octets.length / 16) }, (_, i) => {
    const row = octets.subarray(16 * i, 16 * i + 16)
    const text = Array.from(row, (octet) => (octet > 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.')).join('')
    const digits = toHex(row).replaceAll(new RegExp(`(.{${2 * group}})(?=.)`, 'g'), '$1 ')
    return `${offset(16 * i)}${digits.padEnd((16 / group) * (2 * group + 1) - 1)}  ${text}`
  })
  return `${lines.join('\n')}\n`
}
