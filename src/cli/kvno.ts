import { decode } from '../asn1/codec.ts'
import type { Krb5Credential } from '../gss/krb5/credential.ts'
import { ticketFor } from '../gss/krb5/initiator.ts'
import { mechanismOids } from '../gss/oids.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, hostService, parsePrincipal } from '../krb5/names.ts'
import { Kerberos } from '../node/kerberos.ts'

/** Gets a ticket for each service, into the cache as well, and shows the version of the key that it is sealed with. */
export async function kvno(services: readonly string[], { cache }: { readonly cache?: string }): Promise<void> {
  const kerberos = new Kerberos()
  using credentials = await kerberos.acquire({ usage: 'initiate', store: { ccache: cache } })
  const element = credentials.element(mechanismOids.krb5) as Krb5Credential
  for (const text of services) {
    const named = parsePrincipal(text)
    const [service, host] = named.components
    const isHost = named.components.length === 2 && named.realm === ''
    const principal = isHost ? { ...hostService(service!, host!), realm: await kerberos.realmOf(host!) } : named
    const { server, ticket } = await kerberos.run(ticketFor(element, principal, kerberos.env))
    process.stdout.write(`${formatPrincipal(server)}: kvno = ${decode(Ticket, ticket).encPart.kvno ?? 0}\n`)
  }
}
