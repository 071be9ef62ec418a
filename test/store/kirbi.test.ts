/** KRB-CRED files: RFC 4120 §5.8; and that what is written is what impacket and MIT's own decoder expect (test/interop). */
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { EncKrbCredPart, KrbCred } from '../../src/krb5/messages/session.ts'
import { formatPrincipal } from '../../src/krb5/names.ts'
import { configOf } from '../../src/store/cacheconfig.ts'
import { parseCcache } from '../../src/store/ccache.ts'
import { StoreError } from '../../src/store/error.ts'
import { formatKirbi, parseKirbi } from '../../src/store/kirbi.ts'
import { vectors } from '../support/vectors.ts'

const { ccaches } = vectors<{ ccaches: readonly { readonly id: string; readonly ccache: string }[] }>('generated_files')
const entries = ccaches.flatMap(({ ccache }) =>
  parseCcache(fromHex(ccache)).entries.filter((entry) => !configOf(entry)),
)

describe('a kirbi', () => {
  test('gives back what a ccache had', () => {
    const again = parseKirbi(formatKirbi(entries))
    const facts = entries.map(({ key, ...entry }) => ({ ...entry, key: toHex(key.octets()), keytype: key.keytype }))
    expect(again.map(({ key, ...entry }) => ({ ...entry, key: toHex(key.octets()), keytype: key.keytype }))).toEqual(
      facts,
    )
    expect(facts.length).toBeGreaterThan(4)
  })

  test('is in the clear: its encrypted part has etype 0 and begins as EncKrbCredPart', () => {
    const [entry] = entries
    const hex = toHex(formatKirbi([entry!]))
    expect(hex.startsWith('7682')).toBe(true)
    expect(hex).toMatch(/a003020100a28(?:1..|2....)048(?:1..|2....)7d8/)
    expect(hex).toContain(toHex(entry!.key.octets()))
  })

  test('whose keys are encrypted, whose parts do not agree or that names nobody is refused', () => {
    const part = (ticketInfo: EncKrbCredPart['ticketInfo']) => encode(EncKrbCredPart, { ticketInfo })
    const file = (etype: number, cipher: Uint8Array) => encode(KrbCred, { tickets: [], encPart: { etype, cipher } })
    const nobody = { key: { keytype: 18, keyvalue: new Uint8Array(32) } }
    expect(() => parseKirbi(file(18, new Uint8Array(64)))).toThrow(/its keys are encrypted \(etype 18\)/)
    expect(() => parseKirbi(file(0, part([nobody])))).toThrow(/0 tickets and 1 keys/)
    expect(parseKirbi(file(0, part([])))).toEqual([])
    expect(() => parseKirbi(file(0, new Uint8Array(3)))).toThrow(StoreError)
  })

  test('cut anywhere or with any octet changed is read or refused with a StoreError', () => {
    const octets = formatKirbi(entries.slice(0, 1))
    for (let i = 0; i < octets.length; i++)
      for (const changed of [octets.subarray(0, i), octets.map((octet, at) => (at === i ? octet ^ 0xff : octet))])
        try {
          parseKirbi(changed).map(({ client }) => formatPrincipal(client))
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError)
        }
  })
})
