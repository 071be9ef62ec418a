/** In which realm a user lives whom a service knows by an enterprise name or a certificate alone (MS-SFU §3.1.5.1.1.1). @module */
import { encode } from '../../asn1/codec.ts'
import type { Env } from '../env.ts'
import { errorCodeOf } from '../errorcodes.ts'
import { KrbError } from '../errors.ts'
import { nameTypes } from '../messages/codes.ts'
import { AsAnswer, AsReq } from '../messages/kdc.ts'
import { formatPrincipal, type Principal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import { MAX_REALMS } from './as.ts'
import { requestBody } from './asrequest.ts'
import { askKdc } from './kdc.ts'
import { certificateToFind, type ImpersonatedUser } from './s4upadata.ts'

/** Seconds; nobody can open the ticket that a KDC may answer with. */
const LIFETIME = 60

/**
 * The realm of a user: KDCs tell everybody who asks for a ticket of the user's, from `realm` on. Throws KrbError
 * KDC_ERR_C_PRINCIPAL_UNKNOWN for one that is not known, REFERRAL_LOOP when the KDCs lead in circles.
 */
export function* realmOfUser({ user, realm, certificate }: ImpersonatedUser, env: Env): KrbExchange<string> {
  const named: Omit<Principal, 'realm'> = user ?? { type: nameTypes.x500Principal, components: [] }
  const padata = certificate ? [certificateToFind(certificate)] : []
  const visited = new Set<string>()
  for (let here = realm; visited.size < MAX_REALMS && !visited.has(here); ) {
    visited.add(here)
    const client = { ...named, realm: here }
    const reqBody = requestBody({ client, lifetime: LIFETIME, options: ['canonicalize'] }, env.enctypes, env)
    const { answer, kdc } = yield* askKdc('AS-REQ', AsAnswer, here, encode(AsReq, { padata, reqBody }), env)
    if (answer.kind !== 'error') return here
    const code = errorCodeOf(answer.value.errorCode)
    if (code === 'KDC_ERR_C_PRINCIPAL_UNKNOWN')
      throw KrbError.of(answer.value, formatPrincipal(client), { step: 'AS-REQ', realm: here, kdc })
    if (code !== 'KDC_ERR_WRONG_REALM' || !answer.value.crealm) return here
    here = answer.value.crealm
  }
  throw new KrbError('REFERRAL_LOOP', 'no end to the realms of the user', { step: 'AS-REQ' })
}
