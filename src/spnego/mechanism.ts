import type { Questions } from '../effects/index.ts'
import { type EstablishedContext, GssError, type Mechanism, mechanismOids } from '../gss/index.ts'
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
    importContext: (token) => importBy(mechanisms, token),
  }
}

/** The context is a mechanism's, and so is its token: the first mechanism that knows it goes on with it. */
function importBy(
  mechanisms: readonly Pick<Mechanism<never>, 'importContext'>[],
  token: Uint8Array,
): EstablishedContext {
  let failure: unknown
  for (const mechanism of mechanisms) {
    try {
      const context = mechanism.importContext?.(token)
      if (context) return context
    } catch (error) {
      if (!(error instanceof GssError) || error.major !== 'GSS_S_BAD_MECH') throw error
      failure = error
    }
  }
  throw failure ?? new GssError('GSS_S_UNAVAILABLE', 'none of the mechanisms imports contexts')
}
