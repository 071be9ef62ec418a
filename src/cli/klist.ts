import { lookupService } from 'node:dns/promises'
import { decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { Secrets } from '../crypto/secrets.ts'
import { printable as printableText } from '../inspect/outline.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import type { HostAddress } from '../krb5/messages/basics.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, grantedRealm, principalOf } from '../krb5/names.ts'
import type { CredentialCache } from '../node/caches/cache.ts'
import { Kerberos } from '../node/kerberos.ts'
import { configOf } from '../store/cacheconfig.ts'
import type { CacheContents } from '../store/ccache.ts'
import type { CcacheEntry } from '../store/ccacheentry.ts'
import { keytabKeys } from './inspect.ts'
import { type KeytabListOptions, keytabLines } from './keytab.ts'
import { openedLines } from './opened.ts'
import { report } from './report.ts'
import { formatEnctype, formatFlags, formatStamp } from './text.ts'

/** What `kerb klist` was told. */
export interface KlistOptions extends KeytabListOptions {
  readonly keytab?: boolean
  /** With `keytab`: the client keytab, where no name is given. */
  readonly client?: boolean
  readonly all?: boolean
  readonly list?: boolean
  readonly silent?: boolean
  readonly flags?: boolean
  readonly addresses?: boolean
  readonly numeric?: boolean
  readonly config?: boolean
  /** Show the types of authorization data. */
  readonly authorizationData?: boolean
  /** Keytabs to open tickets with. */
  readonly open?: readonly string[]
}

/** Shows credential caches, or with `-k` a keytab, in MIT's layout. With `-s` nothing is shown, and the exit code is 1 unless a ticket is valid. */
export async function klist(name: string | undefined, options: KlistOptions): Promise<void> {
  const kerberos = new Kerberos()
  if (options.keytab) {
    const keytab = name ?? (options.client ? kerberos.clientKeytabName() : undefined)
    return print(await keytabLines(kerberos.keytabs.resolve(kerberos.keytabName(keytab)), options))
  }
  const { caches } = kerberos
  const chosen = options.all || options.list ? await caches.collection(name).list() : [await caches.resolve(name)]
  const now = kerberos.env.now() / 1e6
  if (options.silent) {
    const valid = await Promise.all(
      chosen.map(async (cache) => isValid(await cache.read().catch(() => undefined), now)),
    )
    process.exitCode = valid.includes(true) ? 0 : 1
  } else if (options.list) await list(chosen, now)
  else if (!options.open?.length) await show(chosen, { ...options, serviceKeys: [] })
  else {
    using secrets = new Secrets()
    const keys = (await Promise.all(options.open.map(keytabKeys))).flat()
    for (const { key } of keys) secrets.keep(key)
    await show(chosen, { ...options, serviceKeys: keys })
  }
}

const print = (lines: readonly string[]) => void process.stdout.write(lines.map((line) => `${line}\n`).join(''))

async function list(caches: readonly CredentialCache[], now: number): Promise<void> {
  const row = (principal: string, cache: string) => `${principal.slice(0, 30).padEnd(30)} ${cache}`
  const rows = await Promise.all(
    caches.map(async (cache) => {
      const contents = await readOrReport(cache)
      if (!contents) return []
      return [`${row(formatPrincipal(contents.principal), cache.name)}${isValid(contents, now) ? '' : ' (Expired)'}`]
    }),
  )
  print([row('Principal name', 'Cache name'), row('--------------', '----------'), ...rows.flat()])
  if (rows.flat().length === 0) process.exitCode = 1
}

/** How caches are shown. */
interface ShownOptions extends KlistOptions {
  /** The keys to open tickets with. */
  readonly serviceKeys: readonly ServiceKey[]
}

async function show(caches: readonly CredentialCache[], options: ShownOptions): Promise<void> {
  let first = true
  for (const cache of caches) {
    const contents = await readOrReport(cache)
    if (!contents) continue
    print([...(first ? [] : ['']), ...(await cacheLines(cache.name, contents, options))])
    first = false
  }
  if (first) process.exitCode = 1
}

/** One cache that cannot be read does not hide the others. */
const readOrReport = (cache: CredentialCache): Promise<CacheContents | undefined> =>
  cache.read().catch((error) => {
    report(error)
    return undefined
  })

/** Whether the ticket-granting ticket of the client's realm is valid, or, where there is none, any ticket. */
function isValid(contents: CacheContents | undefined, now: number): boolean {
  if (!contents) return false
  const { principal, entries, clockOffset } = contents
  const tickets = entries.filter((entry) => !configOf(entry))
  const granting = tickets.filter(
    ({ server }) => server.realm === principal.realm && grantedRealm(server) === principal.realm,
  )
  return (granting.length > 0 ? granting : tickets).some(({ endtime }) => endtime > now + clockOffset / 1e6)
}

async function cacheLines(
  cache: string,
  { principal, entries }: CacheContents,
  options: ShownOptions,
): Promise<string[]> {
  const shown = entries.filter((entry) => options.config || !configOf(entry))
  const owner = formatPrincipal(principal)
  const lines = await Promise.all(shown.map((entry) => entryLines(entry, owner, options)))
  return [
    `Ticket cache: ${cache}`,
    `Default principal: ${owner}`,
    '',
    `${'Valid starting'.padEnd(STAMP)}  ${'Expires'.padEnd(STAMP)}  Service principal`,
    ...lines.flat(),
  ]
}

/** Characters of a time. */
const STAMP = formatStamp(0).length

async function entryLines(entry: CcacheEntry, owner: string, options: ShownOptions): Promise<string[]> {
  const config = configOf(entry)
  if (config) {
    const about = config.principal === undefined ? '' : `(${config.principal})`
    return [`config: ${config.key}${about} = ${printable(config.value)}`]
  }
  const { client, server, starttime, authtime, endtime, renewTill } = entry
  const name = formatPrincipal(client)
  const flags = formatFlags(entry.flags)
  const details = [
    ...(name === owner ? [] : [`for client ${name}`]),
    ...(renewTill ? [`renew until ${formatStamp(renewTill)}`] : []),
    ...(options.flags && flags ? [`Flags: ${flags}`] : []),
  ]
  const ticket = ticketOf(entry)
  const enctypes =
    options.enctypes && ticket
      ? [`Etype (skey, tkt): ${formatEnctype(entry.key.keytype)}, ${formatEnctype(ticket.encPart.etype)} `]
      : []
  const types =
    options.authorizationData && entry.authorizationData.length > 0
      ? [`AD types: ${entry.authorizationData.map(({ adType }) => adType).join(', ')}`]
      : []
  const rest = [...enctypes, ...types]
  // MIT begins a new line for the enctypes when the first holds more than two things, of which a date is two.
  const isFull = details.length + (renewTill ? 1 : 0) > 2
  const lines = isFull ? [details, rest] : [[...details, ...rest]]
  const sealedFor = ticket && formatPrincipal(principalOf(ticket.sname, ticket.realm))
  return [
    `${formatStamp(starttime || authtime)}  ${formatStamp(endtime)}  ${formatPrincipal(server)}`,
    ...lines.filter((line) => line.length > 0).map((line) => `\t${line.join(', ')}`),
    ...(options.addresses ? [`\tAddresses: ${await addressesOf(entry, options)}`] : []),
    ...(sealedFor && sealedFor !== formatPrincipal(server) ? [`\tTicket server: ${sealedFor}`] : []),
    ...(options.open?.length && ticket
      ? openedLines(ticket, options.serviceKeys).map((line) => `\t${printableText(line)}`)
      : []),
  ]
}

function ticketOf({ ticket }: CcacheEntry): Ticket | undefined {
  try {
    return decode(Ticket, ticket)
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}

async function addressesOf({ addresses }: CcacheEntry, { numeric }: KlistOptions): Promise<string> {
  if (addresses.length === 0) return '(none)'
  return (await Promise.all(addresses.map((address) => formatAddress(address, numeric)))).join(', ')
}

/** RFC 4120 §7.5.3 */
const addressTypes = { ipv4: 2, ipv6: 24 } as const

async function formatAddress({ addrType, address }: HostAddress, numeric = false): Promise<string> {
  const groups = Array.from({ length: address.length / 2 }, (_, i) =>
    ((address[2 * i]! << 8) | address[2 * i + 1]!).toString(16),
  )
  const text =
    addrType === addressTypes.ipv4 && address.length === 4
      ? address.join('.')
      : addrType === addressTypes.ipv6 && address.length === 16
        ? new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
        : undefined
  if (text === undefined) return `unknown address type ${addrType}`
  if (numeric) return text
  return lookupService(text, 0).then(
    ({ hostname }) => hostname,
    () => text,
  )
}

/** Configuration as text: octal escapes stand for what is no printable ASCII. */
function printable(value: Uint8Array): string {
  return Array.from(value, (octet) =>
    octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\${octet.toString(8).padStart(3, '0')}`,
  ).join('')
}
