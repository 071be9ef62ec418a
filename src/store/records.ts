/** Pieces that ccaches and keytabs are both made of. @module */
import { BoundsError, type OctetReader, type OctetWriter } from '../bytes/cursor.ts'
import { fromUtf8, utf8 } from '../bytes/index.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import type { Principal } from '../krb5/names.ts'

/** The realm that marks an entry of a ccache as configuration of the cache, no ticket. */
export const CONFIG_REALM = 'X-CACHECONF:'

/** More components than any principal has. */
export const MAX_COMPONENTS = 256

/** Reads a run of octets after its 32-bit length; a view, not a copy. Throws BoundsError. */
export const readData = (reader: OctetReader): Uint8Array => reader.octets(reader.uint32())

/** Writes a run of octets after its 32-bit length. */
export const writeData = (writer: OctetWriter, octets: Uint8Array): OctetWriter =>
  writer.uint32(octets.length).octets(octets)

/** Reads text after its length. Throws BoundsError when it is not UTF-8. */
export function readText(octets: Uint8Array): string {
  try {
    return fromUtf8(octets)
  } catch (cause) {
    throw new BoundsError('a name that is not UTF-8', { cause })
  }
}

/** Reads `count` name components, each by `data`. Throws BoundsError. */
export function readComponents(count: number, data: () => Uint8Array): string[] {
  if (count < 0 || count > MAX_COMPONENTS) throw new BoundsError(`a name of ${count} components`)
  return Array.from({ length: count }, () => readText(data()))
}

/** A principal as ccaches have it: type, count, realm, components; version 1 has no type and counts the realm. */
export function readPrincipal(reader: OctetReader, version: number): Principal {
  const type = version === 1 ? nameTypes.unknown : reader.int32()
  const count = reader.uint32() - (version === 1 ? 1 : 0)
  const realm = readText(readData(reader))
  return { type, realm, components: readComponents(count, () => readData(reader)) }
}

/** The inverse of {@link readPrincipal} for versions 3 and 4. */
export function writePrincipal(writer: OctetWriter, { type, realm, components }: Principal): OctetWriter {
  writer.uint32(type).uint32(components.length)
  for (const text of [realm, ...components]) writeData(writer, utf8(text))
  return writer
}
