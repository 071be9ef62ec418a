/** Octet helpers that every room may use. @module */

/** Joins `parts` into one freshly allocated array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0
  for (const part of parts) size += part.length
  const joined = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Compares in time that depends only on the lengths: for checksums, tokens and everything secret. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The UTF-8 octets of `text`. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** The text that UTF-8 `octets` spell. Throws TypeError when they are not UTF-8. */
export const fromUtf8 = (octets: Uint8Array): string => decoder.decode(octets)

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal, two digits an octet. */
export function toHex(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += HEX[octet]
  return text
}

/** Reads hexadecimal digits, white space ignored. Throws TypeError for anything else. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s+/g, '')
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits))
    throw new TypeError('not hexadecimal: an even number of digits 0-9 and a-f is wanted')
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** Octets per call of String.fromCharCode: below every engine's limit on arguments. */
const CHUNK = 8192

/** Base64 with padding (RFC 4648 §4). */
export function toBase64(octets: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < octets.length; at += CHUNK) binary += String.fromCharCode(...octets.subarray(at, at + CHUNK))
  return btoa(binary)
}

/** Reads base64, white space ignored, padding optional (RFC 4648 §4). Throws TypeError for anything else. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s+/g, '').replace(/={1,2}$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) throw new TypeError('not base64')
  return Uint8Array.from(atob(digits), (character) => character.charCodeAt(0))
}
