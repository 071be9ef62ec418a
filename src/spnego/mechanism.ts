import type { Questions } from '../effects/index.ts'
import { type Mechanism, mechanismOids } from '../gss/index.ts'
import { SpnegoAcceptor } from './acceptor.ts'
import { SpnegoInitiator } from './initiator.ts'

/**
 * SPNEGO (RFC 4178) over `mechanisms`, in decreasing preference; those without an element in the credentials are left
 * out. An initiator offers each by its proper identifier, as MIT krb5 does, and an acceptor takes the aliases too, and
 * a mechanism's own tokens without SPNEGO. The context that comes of it is the chosen mechanism's.
 * Throws TypeError when there is nothing to choose from.
 */
export function spnego<Q extends Questions<Q>>(mechanisms: readonly Mechanism<Q>[]): Mechanism<Q> {
  const [preferred] = mechanisms
  if (!preferred) throw new TypeError('SPNEGO needs at least one mechanism to negotiate')
  return {
    oid: mechanismOids.spnego,
    aliases: [],
    name: 'SPNEGO',
    canonicalize: (name) => preferred.canonicalize(name),
    initiate: (request) => new SpnegoInitiator(mechanisms, request),
    accept: (request) => new SpnegoAcceptor(mechanisms, request),
  }
}
