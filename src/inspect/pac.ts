/** PACs, buffer by buffer. @module */
import { checksumTypeName } from '../crypto/checksums.ts'
import { PacError } from '../krb5/pac/error.ts'
import { groupAttributes, userFlags, userSid } from '../krb5/pac/logoninfo.ts'
import { bufferTypes, decodePac, type Pac } from '../krb5/pac/pac.ts'
import { signatureTypes } from '../krb5/pac/signature.ts'
import { formatInstant, formatOctets } from './names.ts'
import type { Outline } from './outline.ts'
import { formatRid, formatSidName } from './sidtable.ts'

/** Members that are times (MS-PAC §2.5, §2.7). */
const times: ReadonlySet<string> = new Set([
  'logonTime',
  'logoffTime',
  'kickOffTime',
  'passwordLastSet',
  'passwordCanChange',
  'passwordMustChange',
  'lastSuccessfulLogon',
  'lastFailedLogon',
  'authtime',
])

/** Explains a PAC; one that cannot be read is told to be so. */
export function explainPac(octets: Uint8Array, outline: Outline): void {
  const pac = pacOf(octets)
  if (pac instanceof PacError) outline.fail(pac.message)
  else explainBuffers(pac, outline)
}

function explainBuffers(pac: Pac, outline: Outline): void {
  const { signatures, octets } = pac
  const line = outline.add('PAC', `${octets.length} octets, ${pac.buffers.length} buffers`)
  for (const { type, offset, octets } of pac.buffers) {
    const member = nameOf(bufferTypes, type)
    const kind = nameOf(signatureTypes, type)
    const inner = line.add(
      member ?? (kind ? `${kind} signature` : `buffer of type ${type}`),
      `${octets.length} octets at ${offset}`,
    )
    const signature = kind && signatures[kind]
    if (signature) inner.add(checksumTypeName(signature.type), formatOctets(signature.checksum))
    else if (member === 'credentials') inner.add('sealed', 'with the key of the AS reply')
    else if (member) explainMember(member, pac[member], inner)
    else inner.add('octets', formatOctets(octets))
    if (member === 'logonInfo' && pac.logonInfo)
      inner.add('SID of the user', formatSidName(userSid(pac.logonInfo) ?? 'none'))
  }
}

/** Whether octets can be read as a PAC. */
export const isPac = (octets: Uint8Array): boolean => !(pacOf(octets) instanceof PacError)

function pacOf(octets: Uint8Array): Pac | PacError {
  try {
    return decodePac(octets)
  } catch (error) {
    if (error instanceof PacError) return error
    throw error
  }
}

function explainMember(name: string, value: unknown, outline: Outline): void {
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    for (const [member, inner] of Object.entries(value)) explainAny(member, inner, outline)
  else explainAny(name, value, outline)
}

function explainAny(label: string, value: unknown, outline: Outline): void {
  if (value === undefined || outline.full) return
  if (value instanceof Uint8Array) outline.add(label, formatOctets(value))
  else if (Array.isArray(value) || (typeof value === 'object' && value !== null)) {
    const isList = Array.isArray(value)
    const line = outline.add(label, isList && value.length === 0 ? 'none' : '')
    for (const [member, inner] of Object.entries(value as object))
      explainAny(isList ? `[${member}]` : member, inner, line)
  } else if (typeof value === 'number') outline.add(label, formatNumber(label, value))
  else if (typeof value === 'string' && value.startsWith('S-1-')) outline.add(label, formatSidName(value))
  else outline.add(label, typeof value === 'string' && value === '' ? '""' : String(value))
}

function formatNumber(label: string, value: number): string {
  if (times.has(label)) return formatInstant(value)
  if (label === 'rid' || label === 'primaryGroupId') return formatRid(value)
  const names = bits[label]
  const said = names ? Object.keys(names).filter((name) => (value & names[name]!) !== 0) : []
  return said.length > 0 ? `${value} (${said.join(', ')})` : String(value)
}

/** Members that are sets of bits. */
const bits: Readonly<Record<string, Readonly<Record<string, number>>>> = { userFlags, attributes: groupAttributes }

const nameOf = <K extends string>(types: Readonly<Record<K, number>>, type: number): K | undefined =>
  (Object.keys(types) as K[]).find((name) => types[name] === type)
