import type { Key } from 'kerb/crypto'
import { type BoundHandshake, type BoundMechanism, mechanismOids } from 'kerb/gss'
import { Krb5Credential } from 'kerb/gss/krb5'

/** Credentials that an acceptor came by: the keys in them then, and the tickets in them now. */
export interface SeenCredentials {
  readonly keys: readonly Key[]
  readonly tickets: () => Krb5Credential['tickets']
}

/** `mech`, and the credentials that its acceptors come by: handed over, or to act for a user with. */
export function watchingDelegation(mech: BoundMechanism) {
  const delegated: SeenCredentials[] = []
  const watched = (handshake: BoundHandshake): BoundHandshake => ({
    async step(token) {
      const leg = await handshake.step(token)
      const element = leg.context?.delegated?.element(mechanismOids.krb5)
      if (element instanceof Krb5Credential)
        delegated.push({ keys: element.tickets.map(({ key }) => key), tickets: () => element.tickets })
      return leg
    },
    [Symbol.dispose]: () => handshake[Symbol.dispose](),
  })
  return { delegated, mech: { ...mech, accept: (request) => watched(mech.accept(request)) } satisfies BoundMechanism }
}

/** Whether a key is of no more use: its octets were overwritten. */
export function isWiped(key: Key): boolean {
  try {
    key.octets()
    return false
  } catch (error) {
    if (error instanceof TypeError) return true
    throw error
  }
}
