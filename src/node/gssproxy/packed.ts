/** Tickets on their way through a GSS-Proxy client, who cannot open them: the contents of a sealed handle. @module */
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Credentials } from '../../gss/credentials.ts'
import { GssError } from '../../gss/error.ts'
import { Krb5Credential } from '../../gss/krb5/credential.ts'
import { mechanismOids } from '../../gss/oids.ts'
import { samePrincipal } from '../../krb5/names.ts'
import { formatCcache, parseCcache } from '../../store/ccache.ts'
import { credentialOf, entryOf } from '../../store/ccacheentry.ts'

/** The tickets, and their keys, as a ccache; a service's ticket in a user's name comes first. Throws GssError GSS_S_NO_CRED. */
export function packCredentials(credentials: Credentials): Uint8Array {
  const element = credentials.element(mechanismOids.krb5)
  if (!(element instanceof Krb5Credential) || !element.client)
    throw new GssError('GSS_S_NO_CRED', 'there are no tickets in these credentials')
  const { client: principal, clockOffset, evidence, tickets } = element
  const inOrder = evidence ? [evidence, ...tickets.filter((ticket) => ticket !== evidence)] : tickets
  return formatCcache({ principal, clockOffset, entries: inOrder.map(entryOf) })
}

/** The inverse of {@link packCredentials}. Throws StoreError for other octets. */
export function unpackCredentials(octets: Uint8Array, enctypes: readonly Enctype[]): Credentials {
  const { principal: client, clockOffset, entries } = parseCcache(octets)
  const tickets = entries.flatMap((entry) => credentialOf(entry, enctypes) ?? [])
  const [first] = tickets
  // a user's own tickets are all the user's; with a ticket in the user's name goes the service's ticket-granting one
  const own = first && tickets.find((ticket) => !samePrincipal(ticket.client, first.client))
  const impersonating = own && { evidence: first, startRealm: own.client.realm }
  return Krb5Credential.credentials({ initiate: { client, tickets, clockOffset, ...impersonating } })
}
