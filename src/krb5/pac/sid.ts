/** Security identifiers (MS-DTYP §2.4.2): octets and the text `S-1-5-21-…`. @module */
import type { OctetReader, OctetWriter } from '../../bytes/cursor.ts'
import { PacError } from './error.ts'

/** Most subauthorities a SID has (MS-DTYP §2.4.2.2). */
const MAX_SUBAUTHORITIES = 15
const REVISION = 1
const MAX_UINT32 = 0xffff_ffff
const MAX_AUTHORITY = 2 ** 48 - 1

/** A SID in parts. */
export interface Sid {
  /** 48 bits. */
  readonly authority: number
  /** 32 bits each. */
  readonly subauthorities: readonly number[]
}

/** Reads `S-1-5-21-1-2-3-500`, in which the authority may be `0x…` (MS-DTYP §2.4.2.1). Throws TypeError for anything else. */
export function parseSid(text: string): Sid {
  const [, authority, rest] = /^S-1-(\d{1,10}|0x[\da-f]{12})((?:-\d{1,10})*)$/i.exec(text) ?? []
  const subauthorities = (rest ?? '').split('-').slice(1).map(Number)
  if (
    authority === undefined ||
    subauthorities.length > MAX_SUBAUTHORITIES ||
    subauthorities.some((value) => value > MAX_UINT32)
  )
    throw new TypeError(`not a SID: ${JSON.stringify(text.slice(0, 200))}; S-1-5-21-… is what one looks like`)
  return { authority: Number(authority), subauthorities }
}

/** The text of a SID (MS-DTYP §2.4.2.1): the authority in hexadecimal from 2^32 on. */
export function formatSid({ authority, subauthorities }: Sid): string {
  const first = authority > MAX_UINT32 ? `0x${authority.toString(16).padStart(12, '0')}` : authority
  return ['S-1', first, ...subauthorities].join('-')
}

/** The SID of account or group `rid` of a domain, as text (MS-DTYP §2.4.2.3). Throws TypeError when `domain` is no SID. */
export function sidInDomain(domain: string, rid: number): string {
  const { authority, subauthorities } = parseSid(domain)
  return formatSid({ authority, subauthorities: [...subauthorities, rid] })
}

/** The domain and the account of a SID, as text; undefined for a SID without subauthorities. Throws TypeError for no SID. */
export function splitSid(sid: string): { readonly domain: string; readonly rid: number } | undefined {
  const { authority, subauthorities } = parseSid(sid)
  const rid = subauthorities.at(-1)
  return rid === undefined
    ? undefined
    : { domain: formatSid({ authority, subauthorities: subauthorities.slice(0, -1) }), rid }
}

/** Reads a SID of MS-DTYP §2.4.2.2, as text. Throws PacError and BoundsError. */
export function readSid(reader: OctetReader, announced?: number): string {
  const revision = reader.uint8()
  const count = reader.uint8()
  if (revision !== REVISION) throw new PacError(`SID of revision ${revision}`)
  if (count > MAX_SUBAUTHORITIES || (announced !== undefined && announced !== count))
    throw new PacError(
      `SID of ${count} subauthorities${announced === undefined ? '' : ` where ${announced} were announced`}`,
    )
  let authority = 0
  for (const octet of reader.octets(6)) authority = authority * 256 + octet
  return formatSid({ authority, subauthorities: Array.from({ length: count }, () => reader.uint32()) })
}

/** Writes a SID as {@link readSid} reads it. Throws TypeError for text that is no SID. */
export function writeSid(writer: OctetWriter, text: string): void {
  const { authority, subauthorities } = parseSid(text)
  if (authority > MAX_AUTHORITY) throw new TypeError(`not a SID: ${text} has an authority of more than 48 bits`)
  writer.uint8(REVISION).uint8(subauthorities.length)
  writer.uint16(Math.floor(authority / 2 ** 40) | ((Math.floor(authority / 2 ** 32) % 256) << 8))
  for (let shift = 24; shift >= 0; shift -= 8) writer.uint8((authority / 2 ** shift) & 0xff)
  for (const value of subauthorities) writer.uint32(value)
}
