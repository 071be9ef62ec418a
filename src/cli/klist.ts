import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { filePath } from '../node/environment.ts'
import { destroyCcache, readCcache, readKeytab } from '../node/files.ts'
import { Kerberos } from '../node/kerberos.ts'
import { type CcacheEntry, configOf } from '../store/ccache.ts'
import { formatFlags, formatTime } from './text.ts'

/** What `kerb klist` was told. */
export interface KlistOptions {
  readonly keytab?: boolean
  readonly enctypes?: boolean
  readonly flags?: boolean
}

/** Shows a credential cache, or with `-k` a keytab, in MIT's layout. */
export async function klist(name: string | undefined, options: KlistOptions): Promise<void> {
  const kerberos = new Kerberos()
  const lines = options.keytab
    ? await keytabLines(kerberos.keytabName(name), options)
    : await cacheLines(kerberos.ccacheName(name), options)
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Takes the credential cache away. */
export async function kdestroy({ cache }: { readonly cache?: string }): Promise<void> {
  await destroyCcache(filePath(new Kerberos().ccacheName(cache), 'ccache'))
}

async function cacheLines(cache: string, options: KlistOptions): Promise<string[]> {
  const { principal, entries } = await readCcache(filePath(cache, 'ccache'))
  const tickets = entries.filter((entry) => !configOf(entry))
  return [
    `Ticket cache: ${cache}`,
    `Default principal: ${formatPrincipal(principal)}`,
    '',
    'Valid starting       Expires              Service principal',
    ...tickets.flatMap((entry) => ticketLines(entry, options)),
  ]
}

function ticketLines(entry: CcacheEntry, { enctypes, flags }: KlistOptions): string[] {
  const { server, starttime, authtime, endtime, renewTill } = entry
  const details = [
    ...(renewTill ? [`renew until ${formatTime(renewTill)}`] : []),
    ...(flags ? [`Flags: ${formatFlags(entry.flags)}`] : []),
  ]
  return [
    `${formatTime(starttime || authtime)}  ${formatTime(endtime)}  ${formatPrincipal(server)}`,
    ...(details.length ? [`\t${details.join(', ')}`] : []),
    ...(enctypes ? [`\tEtype (skey, tkt): ${enctypeName(entry.key.keytype)}, ${ticketEnctype(entry)}`] : []),
  ]
}

function ticketEnctype({ ticket }: CcacheEntry): string {
  try {
    return enctypeName(decode(Ticket, ticket).encPart.etype)
  } catch (error) {
    if (error instanceof Asn1Error) return 'unreadable'
    throw error
  }
}

async function keytabLines(name: string, { enctypes }: KlistOptions): Promise<string[]> {
  const { entries } = await readKeytab(filePath(name, 'keytab'))
  return [
    `Keytab name: ${name}`,
    'KVNO Principal',
    `---- ${'-'.repeat(74)}`,
    ...entries.map(
      ({ kvno, principal, key }) =>
        `${String(kvno).padStart(4)} ${formatPrincipal(principal)}${enctypes ? ` (${enctypeName(key.keytype)})` : ''}`,
    ),
  ]
}
