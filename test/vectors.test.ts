/** Which test uses which of the vectors: every entry of every file has one, in the room that it belongs to. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const crypto = ['crypto/vectors.test.ts']
const legacy = ['crypto/legacy.test.ts']

/** The lists of each file: how many entries they have, and the tests that go through all of them. */
const ledger: Readonly<Record<string, Readonly<Record<string, readonly [entries: number, tests: readonly string[]]>>>> =
  {
    generated_claims: {
      claims: [5, ['krb5/pac/claims.test.ts']],
      compressed: [6, ['krb5/pac/claims.test.ts']],
      lznt1: [1, ['krb5/pac/claims.test.ts']],
    },
    generated_crypto_matrix: { encrypt: [600, crypto], checksum: [216, crypto], usage_keys: [567, crypto] },
    generated_files: { ccaches: [4, ['store/files.test.ts']], keytabs: [4, ['store/files.test.ts']] },
    generated_gss_tokens: { contexts: [40, ['krb5/messages.test.ts', 'gss/krb5/vectors.test.ts']] },
    generated_kdc_transcripts: { cases: [31, ['krb5/messages.test.ts', 'krb5/transcripts.test.ts']] },
    generated_pac: { cases: [17, ['krb5/pac/recorded.ts']] },
    generated_session: { cases: [12, ['krb5/exchanges/session.test.ts', 'inspect/kinds.test.ts']] },
    negoex: { tokens: [2, ['spnego/negoex.test.ts', 'spnego/negotiation.test.ts']] },
    inspect: { samples: [6, ['inspect/kinds.test.ts', 'inspect/samples.ts']] },
    prf: { prf: [40, crypto], prf_plus: [120, crypto], gss_pseudo_random: [40, crypto] },
    primitives: {
      hmac: [8, crypto],
      pbkdf2: [6, crypto],
      aes: [2, crypto],
      rc4: [2, legacy],
      camellia: [2, legacy],
      cmac: [3, legacy],
    },
    rfc3961_des3_dr_dk: { vectors: [9, crypto] },
    rfc3961_des3_string2key: { vectors: [5, crypto] },
    rfc3961_des_string2key: { vectors: [6, legacy] },
    rfc3961_modcrc32: { vectors: [9, ['crypto/checksums.test.ts']] },
    rfc3961_nfold: { vectors: [11, crypto], generated: [30, crypto] },
    rfc3962_cts: { vectors: [6, ['crypto/blocks.test.ts']] },
    rfc3962_string2key: { vectors: [14, crypto], generated: [8, crypto] },
    rfc4556_octetstring2key: { vectors: [4, crypto] },
    rfc4757_rc4_hmac: {
      md4: [7, legacy],
      string_to_key: [6, crypto],
      encrypt: [22, crypto],
      checksum: [46, ['crypto/checksums.test.ts']],
    },
    rfc6113_krb_fx_cf2: { vectors: [4, crypto], generated: [48, crypto] },
    rfc6803_camellia: {
      string_to_key: [14, crypto],
      key_derivation: [6, crypto],
      encrypt: [10, crypto],
      checksum: [4, crypto],
    },
    rfc8009_aes_sha2: {
      string_to_key: [2, crypto],
      key_derivation: [6, crypto],
      encrypt: [8, crypto],
      checksum: [2, crypto],
      prf: [2, crypto],
    },
    rfc8636_pkinit_kdf: { vectors: [3, crypto], generated_single_impl: [24, crypto] },
    rfc9588_spake: { groups: [4, []], vectors: [9, []] },
    windows_pac: { ticket: [1, ['krb5/pac/recorded.ts']], pac: [1, ['krb5/pac/recorded.ts']] },
  }

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as Record<string, unknown>

test('are 2,065 in the files of the ledger', () => {
  const files = readdirSync(new URL('../vectors/', import.meta.url))
  expect(files).toEqual(expect.arrayContaining(Object.keys(ledger).map((name) => `${name}.json`)))
  const counts = Object.values(ledger).flatMap((lists) => Object.values(lists).map(([entries]) => entries))
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2065)
})

describe.each(Object.entries(ledger))('%s', (name, lists) => {
  test('names its source and has the entries that the ledger counts', () => {
    const file = read(name)
    expect(file['source']).toMatch(/RFC \d{4}|generated|krb5|Samba/)
    const counted = Object.fromEntries(Object.entries(lists).map(([list, [entries]]) => [list, entries]))
    const found = Object.keys(lists).map((list) => [list, [file[list]].flat().length])
    expect(Object.fromEntries(found)).toEqual(counted)
    const sum = Object.values(counted).reduce((sum, count) => sum + count, 0)
    expect(file['count'] ?? sum).toBe(sum)
  })
  test.each(Object.entries(lists).flatMap(([list, [, tests]]) => tests.map((file) => [list, file] as const)))(
    '%s is gone through by test/%s',
    (list, file) => {
      const text = readFileSync(new URL(file, import.meta.url), 'utf8')
      expect(text.includes(`'${name}'`), `names ${name}`).toBe(true)
      expect(new RegExp(`\\b${list}\\b`).test(text), `names ${list}`).toBe(true)
    },
  )
})
