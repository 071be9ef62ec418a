/** Claims (MS-ADTS §2.2.18): a set of them, packed into another structure that may compress it. @module */
import { type Compression, compressions, decompress } from './compression.ts'
import { PacError } from './error.ts'
import { counted, countedOctets, deserialize, type Ndr, type NdrValue, serialize, struct } from './ndr.ts'
import { int64, uint16, uint32, uint64, wideString } from './ndrtypes.ts'

/** Most octets that a set of claims is unpacked to. */
const MAX_CLAIMS = 1 << 20

/** CLAIM_ENTRY (MS-ADTS §2.2.18.5): a name, as `ad://ext/…`, and its values. */
export type Claim =
  | { readonly id: string; readonly type: 'int64'; readonly values: readonly bigint[] }
  | { readonly id: string; readonly type: 'uint64'; readonly values: readonly bigint[] }
  | { readonly id: string; readonly type: 'string'; readonly values: readonly string[] }
  | { readonly id: string; readonly type: 'boolean'; readonly values: readonly boolean[] }

/** CLAIM_TYPE (MS-ADTS §2.2.18.2) */
const types = { int64: 1, uint64: 2, string: 3, boolean: 6 } as const

const claimValues: { readonly [K in keyof typeof types]: Ndr<readonly (bigint | string | boolean)[]> } = {
  int64: counted(int64),
  uint64: counted(uint64),
  string: counted(wideString),
  boolean: counted(truth()),
}

/** A truth value in 64 bits. */
function truth(): Ndr<boolean> {
  return {
    ...uint64,
    read(reader) {
      const read = uint64.read(reader)
      return () => read() !== 0n
    },
    write: (writer, value) => uint64.write(writer, value ? 1n : 0n),
  }
}

/** CLAIM_ENTRY: the type stands before the union and again in it (C706 §14.3.8). */
const claim: Ndr<Claim> = {
  align: 4,
  least: 16,
  read(reader) {
    const id = wideString.read(reader)
    const [type, tag] = [uint16.read(reader)(), uint16.read(reader)()]
    const kind = (Object.keys(types) as (keyof typeof types)[]).find((name) => types[name] === type)
    if (!kind || tag !== type) throw new PacError(`claim of type ${type}, values of type ${tag}`)
    const values = claimValues[kind].read(reader)
    return () => ({ id: id(), type: kind, values: values() }) as Claim
  },
  write(writer, { id, type, values }) {
    const name = wideString.write(writer.align(4), id)
    writer.uint16(types[type]).uint16(types[type])
    const rest = claimValues[type].write(writer, values)
    return () => {
      name()
      rest()
    }
  },
}

const claimsArray = struct({ source: uint16, claims: counted(claim) })
const claimsSet = struct({ arrays: counted(claimsArray), reservedType: uint16, reservedField: countedOctets })
const claimsSetMetadata = struct({
  claimsSet: countedOctets,
  compressionFormat: uint16,
  uncompressedSize: uint32,
  reservedType: uint16,
  reservedField: countedOctets,
})

/** CLAIMS_ARRAY (MS-ADTS §2.2.18.6): claims of one source, 1 being Active Directory and 2 a certificate. */
export interface ClaimsArray extends NdrValue<typeof claimsArray> {}

/**
 * The claims of a CLAIMS_SET_METADATA (MS-ADTS §2.2.18.8), unpacked; none in an empty buffer. Throws PacError, also where
 * they would be larger than {@link MAX_CLAIMS}.
 */
export function decodeClaims(octets: Uint8Array): readonly ClaimsArray[] {
  if (octets.length === 0) return []
  const { claimsSet: packed, compressionFormat, uncompressedSize } = deserialize(claimsSetMetadata, octets)
  const compression = (Object.keys(compressions) as Compression[]).find(
    (name) => compressions[name] === compressionFormat,
  )
  if (!compression) throw new PacError(`claims compressed in unknown format ${compressionFormat}`)
  if (uncompressedSize > MAX_CLAIMS)
    throw new PacError(`claims of ${uncompressedSize} octets; at most ${MAX_CLAIMS} are unpacked`)
  return deserialize(claimsSet, decompress(compression, packed, uncompressedSize)).arrays
}

/** Claims as {@link decodeClaims} reads them, not compressed. */
export function encodeClaims(arrays: readonly ClaimsArray[]): Uint8Array<ArrayBuffer> {
  const nothing = { reservedType: 0, reservedField: new Uint8Array(0) }
  const set = serialize(claimsSet, { arrays, ...nothing })
  const metadata = { claimsSet: set, compressionFormat: compressions.none, uncompressedSize: set.length, ...nothing }
  return serialize(claimsSetMetadata, metadata)
}
