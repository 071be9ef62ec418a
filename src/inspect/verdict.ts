/** What can be said of a ticket's PAC with the keys at hand, in words. @module */
import type { Key } from '../crypto/key.ts'
import type { EncTicketPart } from '../krb5/messages/ticket.ts'
import { type PacVerdict, verifyTicketPac } from '../krb5/pac/verify.ts'

/**
 * The verdict about the PAC of `ticket`, each signature verified that a key at hand fits: who explains a ticket wants to know
 * what is there, and demands nothing. `kdcKeys` are those of the ticket-granting service of the realm that issued it.
 */
export function verdictOf(ticket: EncTicketPart, serverKey: Key, kdcKeys: readonly Key[]): PacVerdict {
  const verdict = verifyTicketPac(ticket, { serverKey })
  if (verdict.state !== 'partial') return verdict
  const fitting = kdcKeys.filter(({ enctype }) => enctype.checksumId === verdict.pac.signatures.kdc?.type)
  // A ticket-granting ticket has none of the signatures that only a KDC can verify, other tickets need not (MS-PAC §2.8).
  return fitting.length === 0 ? verdict : verifyTicketPac(ticket, { serverKey, kdcKeys: fitting, required: [] })
}

/** The verdict as text: which signatures are good, which were not to be checked for want of a key, which are missing. */
export function formatVerdict(verdict: PacVerdict): string {
  if (verdict.state === 'absent') return 'absent'
  if (verdict.state === 'invalid') return `invalid: ${verdict.error.message}`
  const { state, pac, verified } = verdict
  const all = ['server', 'kdc', 'ticket', 'full'] as const
  const open = all.filter((kind) => pac.signatures[kind] && !verified.includes(kind))
  const missing = all.filter((kind) => !pac.signatures[kind])
  return [
    `${state}: ${signatures(verified)} verified`,
    ...(open.length > 0 ? [`${signatures(open)} not checked, for want of the key of the ticket-granting service`] : []),
    ...(missing.length > 0 ? [`no ${signatures(missing)}`] : []),
  ].join('; ')
}

const signatures = (kinds: readonly string[]): string => `${kinds.join(', ')} signature${kinds.length > 1 ? 's' : ''}`
