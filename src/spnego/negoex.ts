/** Messages of NegoEx (MS-NEGOEX §2.2.6), which Windows puts into SPNEGO before Kerberos: read to be told, and passed over. @module */
import { BoundsError, OctetReader } from '../bytes/cursor.ts'
import { equal, toHex, utf8 } from '../bytes/index.ts'
import { GssError } from '../gss/index.ts'

/** How every message begins. */
const SIGNATURE = utf8('NEGOEXTS')
/** Types of messages in the order of their numbers (§2.2.6.1). */
const types = [
  'initiatorNego',
  'acceptorNego',
  'initiatorMetaData',
  'acceptorMetaData',
  'challenge',
  'apRequest',
  'verify',
  'alert',
] as const
/** Octets of an identifier, of a random number, of an extension and of an alert. */
const GUID_SIZE = 16
const RANDOM_SIZE = 32
const PAIR_SIZE = 12
/** Most messages of one token, and most members of one list. */
const MAX_MESSAGES = 32
const MAX_MEMBERS = 64

/** What a message is for (§2.2.6.1). */
export type NegoExType = (typeof types)[number]

/** What every message has in front (§2.2.6.2). Identifiers are in their usual form, with dashes. */
export interface NegoExHeader {
  readonly sequence: number
  readonly conversation: string
}

/** Octets of a type that numbers tell: an extension (§2.2.5.2.3) or an alert (§2.2.5.2.4). */
export interface NegoExValue {
  readonly type: number
  readonly value: Uint8Array
}

/** NEGO_MESSAGE (§2.2.6.3): the security mechanisms that are to be had, best first. */
export interface NegoMessage extends NegoExHeader {
  readonly type: 'initiatorNego' | 'acceptorNego'
  readonly random: Uint8Array
  readonly version: bigint
  readonly authSchemes: readonly string[]
  readonly extensions: readonly NegoExValue[]
}

/** EXCHANGE_MESSAGE (§2.2.6.4): what a mechanism says. */
export interface NegoExExchange extends NegoExHeader {
  readonly type: 'initiatorMetaData' | 'acceptorMetaData' | 'challenge' | 'apRequest'
  readonly authScheme: string
  readonly exchange: Uint8Array
}

/** VERIFY_MESSAGE (§2.2.6.5): proves all messages before it. */
export interface NegoExVerify extends NegoExHeader {
  readonly type: 'verify'
  readonly authScheme: string
  /** Of RFC 3961, where the scheme is 1. */
  readonly checksumScheme: number
  readonly checksumType: number
  readonly checksum: Uint8Array
}

/** ALERT_MESSAGE (§2.2.6.6) */
export interface NegoExAlert extends NegoExHeader {
  readonly type: 'alert'
  readonly authScheme: string
  /** An NTSTATUS. */
  readonly errorCode: number
  readonly alerts: readonly NegoExValue[]
}

/** A message of NegoEx. */
export type NegoExMessage = NegoMessage | NegoExExchange | NegoExVerify | NegoExAlert

/** Security mechanisms that people have a word for (MS-NEGOEX §1.9 and MS-PKU2U). */
export const authSchemes: Readonly<Record<string, string>> = { '0d53335c-f9ea-4d0d-b2ec-4ae3786ec308': 'PKU2U' }

/** Whether `token` begins as a message of NegoEx does. */
export const isNegoEx = (token: Uint8Array): boolean => equal(token.subarray(0, SIGNATURE.length), SIGNATURE)

/** The messages of a token, one after the other; octets are views. Throws {@link GssError} GSS_S_DEFECTIVE_TOKEN. */
export function parseNegoEx(token: Uint8Array): readonly NegoExMessage[] {
  const messages: NegoExMessage[] = []
  try {
    for (let at = 0; at < token.length; ) {
      if (messages.length >= MAX_MESSAGES) throw new BoundsError(`more than ${MAX_MESSAGES} messages`)
      const reader = new OctetReader(token.subarray(at), { littleEndian: true })
      const { size, ...message } = readMessage(reader, token.subarray(at))
      messages.push(message)
      at += size
    }
  } catch (cause) {
    if (!(cause instanceof BoundsError)) throw cause
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `no token of NegoEx: ${cause.message}`, { cause })
  }
  return messages
}

/** What a token is, with the security mechanisms that it offers, as people say them: `NegoEx (PKU2U)`. */
export function negoExName(token: Uint8Array): string {
  try {
    const schemes = parseNegoEx(token).flatMap((message) => ('authSchemes' in message ? message.authSchemes : []))
    return `NegoEx (${schemes.map((scheme) => authSchemes[scheme] ?? scheme).join(', ') || 'no mechanism'})`
  } catch (error) {
    if (error instanceof GssError) return 'NegoEx that cannot be read'
    throw error
  }
}

function readMessage(reader: OctetReader, rest: Uint8Array): NegoExMessage & { readonly size: number } {
  if (!isNegoEx(reader.octets(SIGNATURE.length))) throw new BoundsError('a message begins with something else')
  const number = reader.uint32()
  const type = types[number]
  const sequence = reader.uint32()
  const [headerSize, size] = [reader.uint32(), reader.uint32()]
  if (size > rest.length || headerSize > size || size < reader.offset + GUID_SIZE)
    throw new BoundsError(`a message of ${size} octets, with a header of ${headerSize}, in ${rest.length}`)
  const message = rest.subarray(0, size)
  const header = { sequence, conversation: guid(reader), size }
  switch (type) {
    case 'initiatorNego':
    case 'acceptorNego': {
      const random = reader.octets(RANDOM_SIZE)
      const version = reader.uint64()
      const schemes = listAt(reader, message, GUID_SIZE).map((octets) => guid(new OctetReader(octets)))
      return { ...header, type, random, version, authSchemes: schemes, extensions: valuesAt(reader, message) }
    }
    case 'verify': {
      const authScheme = guid(reader)
      reader.uint32()
      const [checksumScheme, checksumType] = [reader.uint32(), reader.uint32()]
      return { ...header, type, authScheme, checksumScheme, checksumType, checksum: octetsAt(reader, message) }
    }
    case 'alert': {
      const authScheme = guid(reader)
      return { ...header, type, authScheme, errorCode: reader.uint32(), alerts: valuesAt(reader, message) }
    }
    case undefined:
      throw new BoundsError(`there is no message of type ${number}`)
    default:
      return { ...header, type, authScheme: guid(reader), exchange: octetsAt(reader, message) }
  }
}

/** BYTE_VECTOR (§2.2.5.2.1): an offset from where the message begins, and a size. */
function octetsAt(reader: OctetReader, message: Uint8Array): Uint8Array {
  const [offset, size] = [reader.uint32(), reader.uint32()]
  if (size > 0 && offset + size > message.length)
    throw new BoundsError(`${size} octets at ${offset} of ${message.length}`)
  return message.subarray(offset, offset + size)
}

/** The same of members that have `size` octets each (§2.2.5.2.2). */
function listAt(reader: OctetReader, message: Uint8Array, size: number): readonly Uint8Array[] {
  const [offset, count] = [reader.uint32(), reader.uint16()]
  reader.uint16()
  if (count > MAX_MEMBERS) throw new BoundsError(`a list of ${count}`)
  if (count > 0 && offset + count * size > message.length)
    throw new BoundsError(`${count} members at ${offset} of ${message.length}`)
  return Array.from({ length: count }, (_, i) => message.subarray(offset + i * size, offset + (i + 1) * size))
}

const valuesAt = (reader: OctetReader, message: Uint8Array): readonly NegoExValue[] =>
  listAt(reader, message, PAIR_SIZE).map((octets) => {
    const pair = new OctetReader(octets, { littleEndian: true })
    return { type: pair.uint32(), value: octetsAt(pair, message) }
  })

/** A GUID as people write it, of which the first three numbers are little-endian (MS-DTYP §2.3.4.2). */
function guid(reader: OctetReader): string {
  const octets = reader.octets(GUID_SIZE)
  const turned = (from: number, to: number) => toHex(octets.slice(from, to).reverse())
  return [turned(0, 4), turned(4, 6), turned(6, 8), toHex(octets.slice(8, 10)), toHex(octets.slice(10))].join('-')
}
