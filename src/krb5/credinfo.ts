/** What a KRB-CRED says of each ticket, to and from a {@link Credential} (RFC 4120 §5.8.1). @module */
import { encode } from '../asn1/codec.ts'
import type { Credential } from './credential.ts'
import type { Env } from './env.ts'
import { KrbError } from './errors.ts'
import type { KrbCredInfo } from './messages/session.ts'
import { Ticket } from './messages/ticket.ts'
import { formatPrincipal, principalNameOf, principalOf } from './names.ts'
import { keyOf } from './reading.ts'

/** Everything there is to tell of a ticket beside itself. */
export function credInfoOf(credential: Credential): KrbCredInfo {
  const { client, server, key, flags, authtime, starttime, endtime, renewTill, addresses } = credential
  return {
    key: { keytype: key.enctype.id, keyvalue: key.octets() },
    prealm: client.realm,
    pname: principalNameOf(client),
    flags,
    authtime,
    starttime,
    endtime,
    ...(renewTill === undefined ? {} : { renewTill }),
    srealm: server.realm,
    sname: principalNameOf(server),
    ...(addresses?.length ? { caddr: addresses } : {}),
  }
}

/**
 * The ticket to work with. Throws KrbError ENCTYPE_REFUSED for a key of an enctype that `env` does not allow, and
 * KRB_AP_ERR_MSG_TYPE when the client or the end is left out, without which a ticket is of no use.
 */
export function credentialOfInfo(info: KrbCredInfo, ticket: Ticket, env: Pick<Env, 'enctypes'>): Credential {
  const { prealm, pname, flags = new Set(), authtime, endtime, renewTill, caddr } = info
  const server = principalOf(info.sname ?? ticket.sname, info.srealm ?? ticket.realm)
  if (prealm === undefined || pname === undefined || endtime === undefined)
    throw new KrbError('KRB_AP_ERR_MSG_TYPE', `nothing is told of whose ticket for ${formatPrincipal(server)} it is`, {
      step: 'KRB-CRED',
    })
  const starttime = info.starttime ?? authtime ?? 0
  return {
    client: principalOf(pname, prealm),
    server,
    key: keyOf(info.key, env, { step: 'KRB-CRED' }, `session key for ${formatPrincipal(server)}`),
    ticket: encode(Ticket, ticket),
    flags,
    authtime: authtime ?? starttime,
    starttime,
    endtime,
    ...(renewTill === undefined ? {} : { renewTill }),
    ...(caddr?.length ? { addresses: caddr } : {}),
  }
}
