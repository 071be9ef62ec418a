/** Which kind of octets these are, by how they begin; every kind that is known is explained. @module */
import { type Codec, decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { Reader } from '../asn1/reader.ts'
import { OctetReader } from '../bytes/cursor.ts'
import { parsePasswordFrame, passwordVersions } from '../krb5/exchanges/passwordframe.ts'
import { ApRep, ApReq, Authenticator, EncApRepPart } from '../krb5/messages/ap.ts'
import { AuthorizationData, EncryptionKey, MethodData } from '../krb5/messages/basics.ts'
import { KrbErrorMessage } from '../krb5/messages/error.ts'
import { AsRep, AsReq, EncAsRepPart, TgsRep, TgsReq } from '../krb5/messages/kdc.ts'
import { KdcProxyMessage } from '../krb5/messages/kkdcp.ts'
import { ChangePasswdData } from '../krb5/messages/password.ts'
import { EtypeInfo2 } from '../krb5/messages/preauth.ts'
import { EncKrbCredPart, EncKrbPrivPart, KrbCred, KrbPriv, KrbSafe } from '../krb5/messages/session.ts'
import { EncTicketPart, Ticket } from '../krb5/messages/ticket.ts'
import { explainContext } from './context.ts'
import { explainFile } from './files.ts'
import { explainToken } from './gss.ts'
import { explainNegoEx } from './negoex.ts'
import { explainNtlm } from './ntlm.ts'
import type { Outline } from './outline.ts'
import { explainPac, isPac } from './pac.ts'
import type { Scope } from './scope.ts'
import { explainUnknown } from './unknown.ts'

/** Messages that their application tag tells, by the RFC's names. */
const messages: readonly (readonly [string, Codec<unknown>])[] = [
  ['AS-REQ', AsReq],
  ['AS-REP', AsRep],
  ['TGS-REQ', TgsReq],
  ['TGS-REP', TgsRep],
  ['AP-REQ', ApReq],
  ['AP-REP', ApRep],
  ['KRB-SAFE', KrbSafe],
  ['KRB-PRIV', KrbPriv],
  ['KRB-CRED', KrbCred],
  ['KRB-ERROR', KrbErrorMessage],
  ['Ticket', Ticket],
  ['Authenticator', Authenticator],
  ['EncTicketPart', EncTicketPart],
  ['EncKDCRepPart', EncAsRepPart],
  ['EncAPRepPart', EncApRepPart],
  ['EncKrbPrivPart', EncKrbPrivPart],
  ['EncKrbCredPart', EncKrbCredPart],
]

/** What a SEQUENCE may be: the first that fits. */
const sequences: readonly (readonly [string, Codec<unknown>])[] = [
  ['KDC-PROXY-MESSAGE', KdcProxyMessage],
  ['METHOD-DATA', MethodData],
  ['ETYPE-INFO2', EtypeInfo2],
  ['AuthorizationData', AuthorizationData],
  ['ChangePasswdData', ChangePasswdData],
  // A checksum and an address look the same; a key is not to be shown by mistake.
  ['EncryptionKey, or what looks like one', EncryptionKey],
]

/** Octets that a message has in front of it on TCP (RFC 4120 §7.2.2). */
const RECORD_MARK = 4
/** Most records of one stream. */
const MAX_RECORDS = 1000
/** Octets of the shortest PAC, one without buffers. */
const PAC_HEADER = 8
/** How far into captured octets a message may begin: behind the headers of link, network and transport. */
const MAX_HEADERS = 160

/** Explains octets of whatever kind. */
export function explainOctets(octets: Uint8Array, outline: Outline, scope: Scope): void {
  if (outline.full) return
  if (octets.length === 0) return void outline.add('octets', 'none')
  if (explainKnown(octets, outline, scope)) return
  if (explainFile(octets, outline, scope)) return
  if (explainSequence(octets, outline, scope)) return
  const captured = behindHeaders(octets)
  if (captured > 0)
    explainKnown(octets.subarray(captured), outline.add('captured', `behind ${captured} octets of headers`), scope)
  else explainUnknown(octets, outline)
}

function explainKnown(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  return (
    explainMessage(octets, outline, scope) ||
    explainToken(octets, outline, scope) ||
    explainPasswordFrame(octets, outline, scope) ||
    explainRecords(octets, outline, scope) ||
    explainNtlm(octets, outline) ||
    explainNegoEx(octets, outline, scope) ||
    explainContext(octets, outline, scope) ||
    explainPacAlone(octets, outline)
  )
}

/** By its tag; what is behind it, or wrong with it, is told by the walk. */
function explainMessage(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const found = messages.find(([, codec]) => codec.starts(octets[0]!))
  if (!found || elementSize(octets) === undefined) return false
  const [name, codec] = found
  scope.walk(codec, octets, outline, name)
  return true
}

function explainSequence(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const found = sequences.find(([, codec]) => codec.starts(octets[0]!) && fits(codec, octets))
  if (!found) return false
  scope.walk(found[1], octets, outline, found[0])
  return true
}

function fits(codec: Codec<unknown>, octets: Uint8Array): boolean {
  try {
    decode(codec, octets)
    return true
  } catch (error) {
    if (error instanceof Asn1Error) return false
    throw error
  }
}

/** RFC 3244 §2 */
function explainPasswordFrame(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const frame = parsePasswordFrame(octets)
  const kind = Object.entries(passwordVersions).find(([, version]) => version === frame?.version)?.[0]
  if (!frame || kind === undefined) return false
  const line = outline.add('kpasswd', `version 0x${frame.version.toString(16)} (${kind} password)`)
  if (frame.ap.length > 0) scope.explain(frame.ap, line)
  scope.explain(frame.rest, line)
  return true
}

/** Messages with their sizes in front, as TCP and the KDC proxy carry them. */
function explainRecords(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  const records = recordsOf(octets)
  for (const record of records ?? []) scope.explain(record, outline.add('record', `${record.length} octets`))
  return records !== undefined
}

function recordsOf(octets: Uint8Array): readonly Uint8Array[] | undefined {
  const reader = new OctetReader(octets)
  const records: Uint8Array[] = []
  while (reader.remaining > 0) {
    if (reader.remaining <= RECORD_MARK || records.length === MAX_RECORDS) return undefined
    const size = reader.uint32()
    if (size === 0 || size > reader.remaining) return undefined
    records.push(reader.octets(size))
  }
  return records.length > 0 ? records : undefined
}

function explainPacAlone(octets: Uint8Array, outline: Outline): boolean {
  const known = octets.length >= PAC_HEADER && isPac(octets)
  if (known) explainPac(octets, outline)
  return known
}

/** Where in a captured packet a message begins that reaches to its end; 0 where none does. */
function behindHeaders(octets: Uint8Array): number {
  for (let at = 1; at < Math.min(octets.length, MAX_HEADERS); at++) {
    const rest = octets.subarray(at)
    const begins = messages.some(([, codec]) => codec.starts(rest[0]!)) || rest[0] === 0x60
    if (begins && elementSize(rest) === rest.length && rest.length > 32) {
      const marked = at >= RECORD_MARK && recordsOf(octets.subarray(at - RECORD_MARK))?.length === 1
      return marked ? at - RECORD_MARK : at
    }
  }
  return 0
}

/** Octets of the element at the front; undefined where they run past the end. */
function elementSize(octets: Uint8Array): number | undefined {
  try {
    const reader = new Reader(octets)
    reader.skip(octets.length)
    return reader.at
  } catch (error) {
    if (error instanceof Asn1Error) return undefined
    throw error
  }
}
