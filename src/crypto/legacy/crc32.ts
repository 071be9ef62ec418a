/** The polynomial of CRC-32, bits reversed. */
const POLYNOMIAL = 0xedb88320

/** CRC-32 as Kerberos has it (RFC 3961 §6.1.3): nothing is complemented, least significant octet first. */
export function crc32(data: Uint8Array): Uint8Array {
  let sum = 0
  for (const octet of data) {
    sum ^= octet
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? POLYNOMIAL : 0)
  }
  return Uint8Array.of(sum, sum >>> 8, sum >>> 16, sum >>> 24)
}
