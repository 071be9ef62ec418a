/** Tickets on their way through a GSS-Proxy client, who cannot open them: the contents of a sealed handle. @module */
import { concat } from '../../bytes/index.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Credentials } from '../../gss/credentials.ts'
import { GssError } from '../../gss/error.ts'
import { Krb5Credential } from '../../gss/krb5/credential.ts'
import { mechanismOids } from '../../gss/oids.ts'
import { grantedRealm } from '../../krb5/names.ts'
import { formatCcache, parseCcache } from '../../store/ccache.ts'
import { credentialOf, entryOf } from '../../store/ccacheentry.ts'

/** What stands before the ccache: whether its first ticket is a service's in a user's name, who may be the service itself. */
const [PLAIN, ON_BEHALF] = [0, 1]

/** The tickets, and their keys, as a ccache; a service's ticket in a user's name comes first. Throws GssError GSS_S_NO_CRED. */
export function packCredentials(credentials: Credentials): Uint8Array {
  const element = credentials.element(mechanismOids.krb5)
  if (!(element instanceof Krb5Credential) || !element.client)
    throw new GssError('GSS_S_NO_CRED', 'there are no tickets in these credentials')
  const { client: principal, clockOffset, evidence, tickets } = element
  const inOrder = evidence ? [evidence, ...tickets.filter((ticket) => ticket !== evidence)] : tickets
  const ccache = formatCcache({ principal, clockOffset, entries: inOrder.map(entryOf) })
  try {
    return concat(Uint8Array.of(evidence ? ON_BEHALF : PLAIN), ccache)
  } finally {
    ccache.fill(0)
  }
}

/** The inverse of {@link packCredentials}. Throws StoreError for other octets. */
export function unpackCredentials(octets: Uint8Array, enctypes: readonly Enctype[]): Credentials {
  const { principal: client, clockOffset, entries } = parseCcache(octets.subarray(1))
  const tickets = entries.flatMap((entry) => credentialOf(entry, enctypes) ?? [])
  const [evidence] = octets[0] === ON_BEHALF ? tickets : []
  // with a ticket in a user's name goes the service's ticket-granting one, of the service's realm
  const own = evidence && tickets.find(({ server }) => grantedRealm(server) !== undefined)
  const impersonating = own && { evidence, startRealm: own.client.realm }
  return Krb5Credential.credentials({ initiate: { client, tickets, clockOffset, ...impersonating } })
}
