import { md5 as nobleMd5 } from '@noble/hashes/legacy.js'

/** MD5 (RFC 1321), only where a format fixes it: the hash of channel bindings (RFC 4121 §4.1.1.2). */
export const md5 = (octets: Uint8Array): Uint8Array => nobleMd5(octets)
