import { readFile, writeFile } from 'node:fs/promises'
import { fromBase64, fromUtf8 } from '../bytes/index.ts'
import { KrbError } from '../krb5/errors.ts'
import { grantedRealm, parsePrincipal, samePrincipal } from '../krb5/names.ts'
import { ownerOf } from '../node/caches/caches.ts'
import { Kerberos } from '../node/kerberos.ts'
import { configOf } from '../store/cacheconfig.ts'
import { formatKirbi, parseKirbi } from '../store/kirbi.ts'

/** What `kerb kirbi` was told. */
export interface KirbiOptions {
  readonly cache?: string
  readonly service?: string
}

/** First octet of a KRB-CRED: APPLICATION 22. */
const KRB_CRED = 0x76

/** Writes tickets of a cache, all or those of one service, as a KRB-CRED file for its owner alone. */
export async function exportKirbi(path: string, { cache: name, service }: KirbiOptions): Promise<void> {
  const kerberos = new Kerberos()
  const cache = await kerberos.caches.resolve(name)
  const { principal, entries } = await cache.read()
  const wanted = service === undefined ? undefined : parsePrincipal(service, { realm: principal.realm })
  const tickets = entries.filter((entry) => !configOf(entry) && (!wanted || samePrincipal(entry.server, wanted)))
  if (tickets.length === 0)
    throw new KrbError('NO_TICKET', `${cache.name} holds no ticket${service ? ` for ${service}` : ''}`)
  // Most readers of the format take the first ticket alone.
  tickets.sort((a, b) => Number(grantedRealm(b.server) !== undefined) - Number(grantedRealm(a.server) !== undefined))
  await writeFile(path, formatKirbi(tickets), { mode: 0o600, flag: 'wx' })
}

/** Adds the tickets of a KRB-CRED file, or of one in base64, to a cache; a cache of somebody else is replaced. */
export async function importKirbi(path: string, { cache: name }: KirbiOptions): Promise<void> {
  const octets = new Uint8Array(await readFile(path))
  const entries = parseKirbi(octets[0] === KRB_CRED ? octets : fromBase64(fromUtf8(octets)))
  const [first] = entries
  if (!first) throw new KrbError('NO_TICKET', `${path} holds no ticket`)
  const kerberos = new Kerberos()
  const cache = await kerberos.caches.resolve(name)
  const owner = await ownerOf(cache)
  if (owner && samePrincipal(owner, first.client)) await cache.add(...entries)
  else await cache.replace({ principal: first.client, clockOffset: 0, entries })
}
