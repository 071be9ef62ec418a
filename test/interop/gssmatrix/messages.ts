/** What established contexts do to each other's messages. */
import { expect } from 'vitest'
import { equal } from '../../../src/bytes/index.ts'
import type { Both } from './pair.ts'

/** Services of the lab, each with a key of its own enctype alone: those of RFC 4121 that every library has. */
export const services = ['e-aes256-sha1-96', 'e-aes128-sha1-96', 'e-aes256-sha384-192', 'e-aes128-sha256-128']

/** Those whose tokens are of RFC 1964, with their enctypes: AES is agreed on (RFC 4537) unless ours knows nothing else. */
export const olderServices = [
  { name: 'rc4-hmac', service: 'e-arcfour', enctype: 23 },
  { name: 'des3-cbc-sha1-kd', service: 'e-des3', enctype: 16 },
] as const

const sizes = [0, 1, 15, 16, 17, 1000]
const messageOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff)

/** Messages of many sizes go over and back: sealed, only signed, and beside a MIC. */
export async function exchangeMessages({ context, peer }: Both): Promise<void> {
  for (const size of sizes) {
    const message = messageOf(size)
    for (const sealed of [true, false]) {
      const there = await peer.unwrap(context.wrap(message, sealed).message)
      expect(there.encrypted === sealed && there.status === 0 && equal(there.message, message), `${size} there`).toBe(
        true,
      )
      const back = context.unwrap(await peer.wrap(message, sealed))
      expect(back.encrypted === sealed && equal(back.message, message), `${size} back`).toBe(true)
    }
    expect(await peer.verify(message, context.sign(message))).toBe(0)
    context.verify(message, await peer.sign(message))
  }
}
