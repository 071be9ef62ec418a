/** Exported contexts of MIT krb5, whose keys open the tokens that come behind them. @module */

import { encode } from '../asn1/codec.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { GssError } from '../gss/error.ts'
import { flagsOf } from '../gss/flags.ts'
import { type ExportedContext, parseContext, wipeContext } from '../gss/krb5/exported.ts'
import { AuthorizationData, type EncryptionKey } from '../krb5/messages/basics.ts'
import { formatInstant, formatValue } from './names.ts'
import type { Outline } from './outline.ts'
import type { Scope } from './scope.ts'
import { secretText } from './walk.ts'

/** Explains an exported context if it is one; false for anything else. */
export function explainContext(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const context = begins(octets) ? contextOf(octets) : undefined
  if (!context) return false
  const { locallyInitiated, ticket, window, sendSequence, initiatorKey, acceptorSubkey, tokens, awaiting } = context
  const line = outline.add('exported context', `${octets.length} octets, of MIT krb5`)
  line.add('side', locallyInitiated ? 'the initiator' : 'the acceptor')
  if (awaiting) line.add('half-open', `one more AP-REP is awaited, to ${formatInstant(awaiting.time)}`)
  line.add('here', JSON.stringify(context.here))
  line.add('there', JSON.stringify(context.there))
  line.add('flags', [...flagsOf(context.flags)].join(', ') || 'none')
  line.add('tokens', tokens === 'rfc1964' ? 'RFC 1964' : 'RFC 4121')
  for (const time of ['authtime', 'starttime', 'endtime', 'renewTill'] as const)
    if (ticket[time] !== undefined) line.add(time, formatInstant(ticket[time]))
  line.add('flags of the ticket', formatValue('flags', '', ticket.flags))
  line.add('sends next', `sequence number ${sendSequence}`)
  if (!awaiting || !locallyInitiated) line.add('expects next', `sequence number ${window.next}`)
  explainKey("the initiator's subkey, or the session key", initiatorKey, line, scope)
  if (acceptorSubkey) explainKey("the acceptor's subkey", acceptorSubkey, line, scope)
  if (awaiting) explainKey("the ticket's session key", awaiting.sessionKey, line, scope)
  if (ticket.authorizationData)
    scope.walk(AuthorizationData, encode(AuthorizationData, ticket.authorizationData), line, 'authorizationData')
  wipeContext(context)
  return true
}

function explainKey(origin: string, key: EncryptionKey, outline: Outline, scope: Scope): void {
  outline.add('key', `${origin}: ${enctypeName(key.keytype)}, ${secretText(key.keyvalue, scope)}`)
  scope.ring.learn(key, origin)
}

/** The size of the mechanism's identifier stands in front: 9 octets, or 6 of SPNEGO's. */
const begins = (octets: Uint8Array): boolean =>
  octets[0] === 0 && octets[1] === 0 && octets[2] === 0 && [6, 9].includes(octets[3]!)

/** One of another mechanism has nothing to tell. */
function contextOf(octets: Uint8Array): ExportedContext | undefined {
  try {
    return parseContext(octets)
  } catch (error) {
    if (error instanceof GssError) return undefined
    throw error
  }
}
