/** The page on krb5.conf says what the code reads, because it is written from the same table. */
import { expect, test } from 'vitest'
import {
  type Ignored,
  libdefaultsOptions,
  type Option,
  realmDefaultsOptions,
  realmsOptions,
  sections,
} from '../../src/store/optionstable.ts'

type Rows = Readonly<Record<string, Option<never> | Ignored>>
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
const read = (rows: Rows) =>
  table(
    ['option', 'field', 'meaning'],
    Object.entries(rows).flatMap(([name, row]) =>
      'ignored' in row ? [] : [[`\`${name}\``, `\`${row.field}\``, row.meaning]],
    ),
  )
const letBe = (rows: Rows) =>
  table(
    ['option', 'why'],
    Object.entries(rows).flatMap(([name, row]) => ('ignored' in row ? [[`\`${name}\``, row.ignored]] : [])),
  )

test('docs/krb5-conf.md is what the table of options says (write it anew with vitest -u)', async () => {
  const page = `# krb5.conf

kerb reads the krb5.conf that C programs read: \`/etc/krb5.conf\`, or the files and folders of \`KRB5_CONFIG\`, parted by
colons. Every option of MIT's krb5.conf(5) is below: read into a field of \`KrbConfig\` (\`kerb/store\`), or let be for a
reason. An option or a section that is not listed is let be, too; a value that cannot be read is a \`ConfigError\` that
names file, line and option.

- \`include\` and \`includedir\` are followed (16 deep, 256 files, 4 Mi characters at most); \`module\` is passed over.
- A section or subsection marked \`*\` takes nothing from later files. Of several relations the first counts, save for lists.
- \`%{uid}\`, \`%{euid}\`, \`%{USERID}\`, \`%{username}\`, \`%{TEMP}\` and \`%{null}\` are filled in where caches and keytabs are named.
- Lists of enctypes are names, aliases, the families \`aes\`, \`camellia\`, \`des3\`, \`rc4\`, and \`DEFAULT\`; \`-\` takes out, \`+\` adds.
  \`rc4\` counts only with \`allow_rc4\`, \`des3\` only with \`allow_des3\`. \`DEFAULT\` leaves Camellia out, unlike MIT's.
- \`qualify_shortname\` completes hosts without a domain in the names of services that contexts are with; where it is not
  set, no domain of the system's is taken in its place.
- Read, but acted on by nothing yet: \`dns_canonicalize_hostname\` and \`rdns\` (the DNS is never asked what a host is called).
- \`pkinit_cert_match\` chooses among the certificates of an identity as in MIT's: the first rule that holds for just one does.
  A rule that is none is a \`ConfigError\`, where MIT passes it over; without rules the first certificate of a folder is taken,
  where MIT refuses several.
- \`auth_to_local\` and \`auth_to_local_names\` of the default realm make local names of principals (\`localName\` of \`kerb/store\`
  and \`kerb/gss\`) as MIT's do, in bounded time; but names in \`auth_to_local_names\` are the default realm's own, where MIT
  takes any realm's, an empty local name is none, and a malformed rule is always a \`ConfigError\`.

## Sections

${table(
  ['section', 'what becomes of it'],
  Object.entries(sections).map(([name, fate]) => [`\`[${name}]\``, fate]),
)}

## [libdefaults]

All of these may also stand in \`[libdefaults] REALM = { }\`, where they hold for that realm's principals alone
(\`configOfRealm\`).

${read(libdefaultsOptions)}

Let be:

${letBe(libdefaultsOptions)}

## [realms] REALM = { }

${read(realmsOptions)}

${Object.keys(realmDefaultsOptions)
  .map((name) => `\`${name}\``)
  .join(', ')} may stand here as well: they count
before \`[libdefaults]\`, and after \`[libdefaults] REALM = { }\`.

Let be:

${letBe(realmsOptions)}
`
  await expect(page).toMatchFileSnapshot('../../docs/krb5-conf.md')
})
