import { Key } from '../../crypto/key.ts'
import type { Credential } from '../../krb5/credential.ts'
import type { Env } from '../../krb5/env.ts'
import { s4u2self } from '../../krb5/exchanges/s4u.ts'
import type { Principal } from '../../krb5/names.ts'
import type { KrbExchange } from '../../krb5/questions.ts'
import type { Credentials } from '../credentials.ts'
import { GssError } from '../error.ts'
import { mechanismOids } from '../oids.ts'
import { Krb5Credential } from './credential.ts'

/**
 * Credentials of a service in the name of `user`, who does not have to be there (S4U2Self): contexts are initiated with
 * them as far as the KDC lets the service (S4U2Proxy). They keep keys of their own. Throws KrbError, and {@link GssError}
 * GSS_S_NO_CRED without a ticket-granting ticket.
 */
export function* impersonate(service: Credentials, user: Principal, env: Env): KrbExchange<Credentials> {
  const element = service.element(mechanismOids.krb5)
  const tgt = element instanceof Krb5Credential ? element.grantingTicket() : undefined
  if (!(element instanceof Krb5Credential) || !tgt)
    throw new GssError('GSS_S_NO_CRED', 'a service impersonates with its own ticket-granting ticket')
  const { credential: evidence, clockOffset } = yield* s4u2self({ tgt, user, clockOffset: element.clockOffset }, env)
  const startRealm = tgt.client.realm
  const tickets = [evidence, copyOf(tgt)]
  return Krb5Credential.credentials({
    initiate: { client: evidence.client, tickets, evidence, clockOffset, startRealm },
  })
}

/** Both credentials may be disposed of. */
const copyOf = (credential: Credential): Credential => {
  const octets = credential.key.octets()
  const key = new Key(credential.key.enctype, octets)
  octets.fill(0)
  return { ...credential, key }
}
