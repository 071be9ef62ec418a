/** Network addresses as Kerberos has them (RFC 4120 §5.2.5, §7.5.3). @module */
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { HostAddress } from '../krb5/messages/basics.ts'
import { addressTypes } from '../krb5/messages/codes.ts'

/** The address that `text` writes, v4 or v6, without a zone. Throws TypeError for anything else. */
export function hostAddress(text: string): HostAddress {
  if (isIPv4(text)) return { addrType: addressTypes.ipv4, address: quadOctets(text) }
  const [bare = ''] = text.split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare
  if (isIPv4(mapped)) return { addrType: addressTypes.ipv4, address: quadOctets(mapped) }
  if (!isIPv6(bare)) throw new TypeError(`not a network address: ${text}`)
  const groups = (part: string | undefined) => (part ? part.split(':').flatMap(groupOctets) : [])
  const [head, tail] = bare.split('::')
  const [front, back] = [groups(head), groups(tail)]
  const zeros = new Array<number>(V6_SIZE - front.length - back.length).fill(0)
  return { addrType: addressTypes.ipv6, address: Uint8Array.from([...front, ...zeros, ...back]) }
}

/** Addresses that a ticket got here is to be good from: those of all interfaces but the loopback (kinit -a). */
export function ownAddresses(): readonly HostAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
    .map(({ address }) => hostAddress(address))
}

/** The octets of a v4 address; digit by digit, as each datagram comes from one. */
function quadOctets(text: string): Uint8Array {
  const octets = new Uint8Array(4)
  let place = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit < 0) place++
    else octets[place] = octets[place]! * 10 + digit
  }
  return octets
}

const ZERO = 0x30
const V6_SIZE = 16

/** Two octets for a group of hexadecimal digits, four for a v4 address at the end. */
function groupOctets(group: string): readonly number[] {
  if (group.includes('.')) return group.split('.').map(Number)
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 0xff]
}
