/** What an initiator hands over, replaced by something else: whoever holds the ticket's session key may seal what it likes. */
import { decode, encode } from '../../src/asn1/codec.ts'
import type { Key } from '../../src/crypto/key.ts'
import { flagsOf } from '../../src/gss/flags.ts'
import { contextChecksum, readContextChecksum } from '../../src/gss/krb5/checksum.ts'
import { frame, unframe } from '../../src/gss/krb5/framing.ts'
import { ApReq } from '../../src/krb5/messages/ap.ts'
import { sealedAuthenticator } from '../../src/krb5/sealed.ts'
import { fixedEnv } from './env.ts'

/** An initiator's first token, with `delegation` in its authenticator, that `session` seals. */
export function handingOver(token: Uint8Array, session: Key, delegation: Uint8Array): Uint8Array {
  const request = decode(ApReq, unframe(token).message)
  const authenticator = sealedAuthenticator.open(session, request.authenticator)
  const { flags } = readContextChecksum(authenticator.cksum)
  const cksum = contextChecksum([...flagsOf(flags), 'delegateToPeer'], undefined, delegation)
  const sealed = sealedAuthenticator.seal(session, { ...authenticator, cksum }, fixedEnv())
  return frame('apReq', encode(ApReq, { ...request, authenticator: sealed }))
}
