/** Credentials that were exported, by this library or by C (gss_import_cred). @module */
import type { CredentialElement } from '../gss/credentials.ts'
import { Credentials } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import { parseExportedCredentials } from '../gss/exportedcredentials.ts'
import { initiatorParts } from '../gss/krb5/cachedtickets.ts'
import { Krb5Credential } from '../gss/krb5/credential.ts'
import { type ExportedCredential, parseCredential } from '../gss/krb5/exportedcredential.ts'
import { IakerbCredential } from '../gss/krb5/iakerbcredential.ts'
import type { InitiatorParts } from '../gss/krb5/parts.ts'
import { mechanismOids } from '../gss/oids.ts'
import { seconds } from '../krb5/env.ts'
import { formatPrincipal, samePrincipal } from '../krb5/names.ts'
import { passwordSecret } from '../krb5/secret.ts'
import { type Host, ticketsIn } from './acquire.ts'
import { replayCacheNamed } from './replay/named.ts'

/** SPNEGO's element is those of the mechanisms that it negotiates, and MIT's library puts it into itself no further. */
const MAX_DEPTH = 2

/**
 * The credentials of such a token, whose keys and files this process takes over as its own: it must come from somebody who
 * may say so. Throws {@link GssError}, KrbError and StoreError.
 */
export async function importCredentials(host: Host, token: Uint8Array, depth = 1): Promise<Credentials> {
  const exported = parseExportedCredentials(token)
  const negotiated = exported.find(({ mechanism }) => mechanism === mechanismOids.spnego)
  const own = exported.filter((element) => element !== negotiated)
  if (own.length === 0 && negotiated && depth < MAX_DEPTH) return importCredentials(host, negotiated.token, depth + 1)
  const elements: CredentialElement[] = []
  try {
    for (const { mechanism, token } of own) {
      if (mechanism !== mechanismOids.krb5 && mechanism !== mechanismOids.iakerb)
        throw new GssError('GSS_S_BAD_MECH', `the exported credentials are of the mechanism ${mechanism}`)
      elements.push(await elementFrom(host, parseCredential(token)))
    }
    return new Credentials(elements)
  } catch (error) {
    for (const element of elements) element[Symbol.dispose]()
    throw error
  }
}

async function elementFrom(host: Host, exported: ExportedCredential): Promise<CredentialElement> {
  const { usage, name, keytab, rcache: replayCache, iakerb, password } = exported
  if (iakerb && name && password !== undefined) return new IakerbCredential(name, passwordSecret(name, password))
  if (replayCache !== undefined) replayCacheNamed(replayCache)
  const wanted = exported.enctypes
  const enctypes = wanted && host.env.enctypes.filter(({ id }) => wanted.includes(id))
  const initiate = usage === 'accept' ? undefined : await initiatorFrom(host, exported)
  if (usage === 'initiate') return new Krb5Credential({ initiate, enctypes })
  const principal = usage === 'accept' ? name : undefined
  const keys = await host.keys(keytab, principal)
  return new Krb5Credential({
    initiate,
    enctypes,
    accept: { keys, principal, replayCache, keytab: host.keytabName(keytab) },
  })
}

async function initiatorFrom(host: Host, { name, ccache }: ExportedCredential): Promise<InitiatorParts> {
  if (ccache === undefined) throw new GssError('GSS_S_NO_CRED', 'the exported credentials have no tickets')
  if (typeof ccache === 'string') {
    const { toRefresh: _, ...held } = await ticketsIn(host, await host.caches.resolve(ccache), name)
    return held
  }
  const { client, entries } = ccache
  const held = initiatorParts(
    { principal: client, entries, clockOffset: 0 },
    host.env.enctypes,
    seconds(host.env.now()),
  )
  for (const { key } of entries) key[Symbol.dispose]()
  if (name && !samePrincipal(name, client))
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the tickets of ${formatPrincipal(client)} are said to be of another`)
  if (held.tickets.length === 0)
    throw new GssError('GSS_S_CREDENTIALS_EXPIRED', `all tickets of ${formatPrincipal(client)} have expired`)
  return held
}
