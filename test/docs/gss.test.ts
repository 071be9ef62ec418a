/** The table of docs/gss.md: every function of python-gssapi has its row, and what each row says compiles. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { expectToCompile } from '../support/compiled.ts'

const text = readFileSync('docs/gss.md', 'utf8')
const table = text.slice(text.indexOf('<!-- each row compiles -->'))
const rows = [...table.matchAll(/^\| (.*) \| `(.*)` \|$/gm)].map(([, theirs, ours]) => ({
  theirs: theirs!,
  ours: ours!,
}))
mkdirSync('node_modules/.cache', { recursive: true })
const folder = mkdtempSync('node_modules/.cache/gss-')
afterAll(() => rmSync(folder, { recursive: true }))

/** What the right column may speak of. */
const given = `import { enctypes } from 'kerb/crypto'
import {
  attributeOid, type ChannelBindings, type CredentialElement, Credentials, defaultFlags, GssError, inquireContext, mechanismOfSaslName,
  mechanismOids, mechanisms, mechanismsWith, Name, nameTypeOids, saslNameOf, SecurityContext, tlsServerEndPoint,
} from 'kerb/gss'
import { authorizationDataIn, initiatorAttributes, type Krb5Context } from 'kerb/gss/krb5'
import { Kerberos } from 'kerb/node'
declare const kerberos: Kerberos
declare const creds: Awaited<ReturnType<typeof Credentials.acquire>>
declare const element: CredentialElement
declare const context: SecurityContext
declare const krb5: Krb5Context
declare const name: Name
declare const other: Name
declare const text: string
declare const octets: Uint8Array
declare const bindings: ChannelBindings
declare const error: GssError
declare const aes256: (typeof enctypes)[number]
`

test('there are as many rows as there should be', () => expect(rows.length).toBeGreaterThan(50))

test('each says something that compiles, with the strictness of the project', () => {
  writeFileSync(join(folder, 'rows.ts'), `${given}${rows.map(({ ours }) => `void (${ours})`).join('\n')}\n`)
  expectToCompile(folder)
}, 120_000)

/** What `dir(gssapi.raw)` of python3-gssapi 1.8.2 (Debian 12) has of functions. */
const raw =
  `accept_sec_context acquire_cred acquire_cred_from acquire_cred_impersonate_name acquire_cred_with_password add_cred
add_cred_from add_cred_impersonate_name add_cred_with_password canonicalize_name compare_name context_time delete_name_attribute
delete_sec_context display_mech_attr display_name display_name_ext duplicate_name export_cred export_name export_name_composite
export_sec_context get_mic get_mic_iov get_mic_iov_length get_name_attribute import_cred import_name import_sec_context indicate_mechs
indicate_mechs_by_attrs init_sec_context inquire_attrs_for_mech inquire_context inquire_cred inquire_cred_by_mech inquire_cred_by_oid
inquire_mech_for_saslname inquire_mechs_for_name inquire_name inquire_names_for_mech inquire_saslname_for_mech
inquire_sec_context_by_oid krb5_ccache_name krb5_export_lucid_sec_context krb5_extract_authtime_from_sec_context
krb5_extract_authz_data_from_sec_context krb5_get_tkt_flags krb5_import_cred krb5_set_allowable_enctypes process_context_token
release_cred release_name set_cred_option set_name_attribute set_neg_mechs set_sec_context_option store_cred store_cred_into unwrap
unwrap_aead unwrap_iov verify_mic verify_mic_iov wrap wrap_aead wrap_iov wrap_iov_length wrap_size_limit`.split(/\s+/)

test.each(raw)('%s of python-gssapi is there, or why it is not', (name) => expect(table).toContain(`\`${name}\``))
