/**
 * The protocol of KCM, the daemon that keeps credential caches: requests and replies as octets. Heimdal's kcm made it, sssd-kcm
 * speaks it too; MIT krb5 adds two operations. A request is a version, an operation and its arguments; a reply a status and
 * its result. Names end in NUL; principals and credentials are as in a ccache file of version 4.
 * @module
 */
import { BoundsError, OctetReader, OctetWriter } from '../bytes/cursor.ts'
import { concat, utf8 } from '../bytes/index.ts'
import type { Principal } from '../krb5/names.ts'
import type { CacheContents } from './ccache.ts'
import { type CcacheEntry, formatCcacheEntry, readEntry } from './ccacheentry.ts'
import { StoreError } from './error.ts'
import { readData, readPrincipal, readText, writeData, writePrincipal } from './records.ts'

/** The operations that are used here, by number; the last two are MIT's extensions. */
export const kcmOperations = {
  generateNew: 3,
  initialize: 4,
  destroy: 5,
  store: 6,
  principal: 8,
  credentialIds: 9,
  credentialById: 10,
  removeCredential: 11,
  cacheIds: 18,
  cacheById: 19,
  defaultCache: 20,
  setDefaultCache: 21,
  clockOffset: 22,
  setClockOffset: 23,
  credentialList: 13001,
  replace: 13002,
} as const

/** The name of an operation. */
export type KcmOperation = keyof typeof kcmOperations

/** Status codes (of MIT's krb5 error table) that mean something to a client. */
export const kcmStatus = {
  ok: 0,
  notFound: -1_765_328_243,
  end: -1_765_328_242,
  permission: -1_765_328_190,
  noCache: -1_765_328_189,
  internal: -1_765_328_188,
  io: -1_765_328_191,
  unsupported: -1_765_328_137,
} as const

/** What a daemon answers to an operation that it does not have. */
export const isUnsupported = (status: number): boolean =>
  status === kcmStatus.internal || status === kcmStatus.io || status === kcmStatus.unsupported

/** The largest reply that is taken, in octets. */
export const KCM_MAX_REPLY = 10 * 1024 * 1024
const VERSION = 0x02_00
/** Octets of the id of a cache or of a credential. */
const ID = 16
/** More caches or credentials than one user has. */
const MAX_ITEMS = 16_384
const MAX_NAME = 4096

/** A request: what is asked for and its arguments, each already as octets. */
export const kcmRequest = (operation: KcmOperation, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  concat(new OctetWriter().uint16(VERSION).uint16(kcmOperations[operation]).finish(), ...parts)

/** The name of a cache as an argument. Throws TypeError for a name that holds a NUL. */
export function kcmName(name: string): Uint8Array {
  if (name.includes('\0')) throw new TypeError('the name of a cache holds a NUL')
  return utf8(`${name}\0`)
}

/** A principal as an argument. */
export const kcmPrincipal = (principal: Principal): Uint8Array => writePrincipal(new OctetWriter(), principal).finish()

/** A clock offset, in microseconds, as an argument: the daemon keeps whole seconds. */
export const kcmClockOffset = (microseconds: number): Uint8Array =>
  new OctetWriter().uint32(Math.round(microseconds / 1e6)).finish()

/** The whole contents of a cache, as the arguments of `replace` after the name. */
export function kcmContents({ clockOffset, principal, entries }: CacheContents): Uint8Array {
  const writer = new OctetWriter().octets(kcmClockOffset(clockOffset)).octets(kcmPrincipal(principal))
  writer.uint32(entries.length)
  for (const entry of entries) writeData(writer, formatCcacheEntry(entry))
  return writer.finish()
}

/** Which parts of a credential follow in a {@link kcmMatch}. */
const HAS_CLIENT_AND_SERVER = 3

/** The arguments of `removeCredential` after the name: no flags, then the client and the service to look for. */
export function kcmMatch({ client, server }: CcacheEntry): Uint8Array {
  const writer = new OctetWriter().uint32(0).uint32(HAS_CLIENT_AND_SERVER)
  writePrincipal(writePrincipal(writer, client), server)
  return writer.uint32(0).uint32(0).uint32(0).uint32(0).uint8(0).uint32(0).finish()
}

/** A reply: its status, and the result of one that succeeded. Throws {@link StoreError}. */
export const parseKcmReply = (octets: Uint8Array): { readonly status: number; readonly result: Uint8Array } =>
  reading(octets, (reader) => ({ status: reader.int32(), result: reader.rest() }))

/** The name in a result. Throws {@link StoreError}. */
export function parseKcmName(result: Uint8Array): string {
  const end = result.indexOf(0)
  if (end <= 0 || end > MAX_NAME) throw new StoreError('ccache', 'the KCM daemon gives no name', { offset: 0 })
  return reading(result, (reader) => readText(reader.octets(end)))
}

/** The principal in a result. Throws {@link StoreError}. */
export const parseKcmPrincipal = (result: Uint8Array): Principal =>
  reading(result, (reader) => readPrincipal(reader, 4))

/** The credential in a result. Throws {@link StoreError}. */
export const parseKcmCredential = (result: Uint8Array): CcacheEntry => reading(result, (reader) => readEntry(reader, 4))

/** The clock offset in a result, in microseconds. Throws {@link StoreError}. */
export const parseKcmClockOffset = (result: Uint8Array): number => reading(result, (reader) => reader.int32() * 1e6)

/** The ids of caches or credentials in a result. Throws {@link StoreError}. */
export const parseKcmIds = (result: Uint8Array): Uint8Array[] =>
  reading(result, (reader) => {
    const count = reader.remaining / ID
    if (count > MAX_ITEMS) throw new BoundsError(`${count} ids`)
    return Array.from({ length: Math.ceil(count) }, () => reader.octets(ID))
  })

/** The credentials in the result of `credentialList`. Throws {@link StoreError}. */
export const parseKcmCredentials = (result: Uint8Array): CcacheEntry[] =>
  reading(result, (reader) => {
    const count = reader.uint32()
    if (count > MAX_ITEMS) throw new BoundsError(`${count} credentials`)
    return Array.from({ length: count }, () => readEntry(new OctetReader(readData(reader)), 4))
  })

function reading<T>(octets: Uint8Array, read: (reader: OctetReader) => T): T {
  const reader = new OctetReader(octets)
  try {
    return read(reader)
  } catch (cause) {
    if (!(cause instanceof BoundsError)) throw cause
    const options = { offset: reader.offset, cause, remedy: "see the daemon's log, or use FILE: in KRB5CCNAME" }
    throw new StoreError('ccache', `the KCM daemon's reply cannot be read: ${cause.message}`, options)
  }
}
