/** Addresses of hosts, as tickets and messages have them (RFC 4120 §5.2.5). @module */
import { equal } from '../bytes/index.ts'
import type { HostAddress } from './messages/basics.ts'

/** Whether both are the same address of the same type. */
export const sameAddress = (a: HostAddress, b: HostAddress): boolean =>
  a.addrType === b.addrType && equal(a.address, b.address)

/** Whether `address` is among those. */
export const isAmong = (list: readonly HostAddress[], address: HostAddress): boolean =>
  list.some((other) => sameAddress(other, address))

/** Whether both lists have the same addresses, in whatever order; none is no address. */
export const sameAddresses = (a: readonly HostAddress[] | undefined, b: readonly HostAddress[] | undefined): boolean =>
  a === b || (a?.length === b?.length && (a?.every((address) => isAmong(b!, address)) ?? true))
