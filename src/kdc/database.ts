import type { Enctype } from '../crypto/enctypes/profile.ts'
import { enctypes as current } from '../crypto/enctypes/table.ts'
import { Key } from '../crypto/key.ts'
import type { Random } from '../crypto/random.ts'
import { formatPrincipal, type Principal, parsePrincipal, ticketGrantingService } from '../krb5/names.ts'
import { defaultSalt } from '../krb5/secret.ts'
import { formatKeytab } from '../store/keytab.ts'
import { StoredKey } from '../store/storedkey.ts'
import { type Identity, requireAccount } from './identity.ts'
import { PrincipalMap } from './principalmap.ts'

/** What the KDC knows of a principal. Times and durations are in seconds. */
export interface PrincipalRecord {
  readonly principal: Principal
  readonly kvno: number
  /** Best first. */
  readonly keys: readonly Key[]
  /** What ETYPE-INFO2 tells (RFC 4120 §5.2.7.5); undefined for keys that come from no password. */
  readonly salt?: Uint8Array | undefined
  readonly requiresPreauth: boolean
  /** The account has an end; undefined for none. */
  readonly expires?: number | undefined
  readonly passwordExpires?: number | undefined
  readonly locked: boolean
  /** A service whose tickets may be had, for changing it, with a password that has expired. */
  readonly changesPasswords: boolean
  readonly forwardable: boolean
  readonly renewable: boolean
  /** Tickets that begin later than now may be had. */
  readonly postdatable: boolean
  readonly okAsDelegate: boolean
  /** Nobody may act in this user's name (USER_NOT_DELEGATED). */
  readonly notDelegated: boolean
  /** A service whose tickets to itself in the name of users are good for acting as them (protocol transition, MS-SFU §1.3.1). */
  readonly okToAuthAsDelegate: boolean
  /** Services that this one may act to in the name of its users (constrained delegation). */
  readonly allowedToDelegateTo: readonly string[]
  /** Services that may act to this one in the name of their users (resource-based constrained delegation). */
  readonly allowedToActOnBehalf: readonly string[]
  /** Tickets for it are sealed with its own ticket's session key alone (RFC 4120 §2.9.2). */
  readonly userToUserOnly: boolean
  /** Tickets for it are for clients who proved themselves in one of these ways (RFC 8129); in any way when there are none. */
  readonly requireAuth: readonly string[]
  /** Of a ticket-granting service shared with another realm: the SID of that realm's domain, whose PACs are believed about its own accounts. */
  readonly trustedDomain?: string | undefined
  /** What tickets say of the account in their PAC; undefined for its name alone. */
  readonly identity?: Identity | undefined
  readonly maxLife: number
  readonly maxRenewLife: number
}

/** Where a KDC looks principals up. */
export interface PrincipalDatabase {
  /** The record of a name or an alias; undefined when there is none. */
  lookup(principal: Principal): PrincipalRecord | undefined
}

/** A database whose passwords can be changed. */
export interface PasswordDatabase extends PrincipalDatabase {
  /** Puts keys of the next version, out of `password`, in place of the present ones; what had expired has not any more. */
  setPassword(principal: Principal, password: string): void
}

/** What can be said of a principal when it is added. */
export type PrincipalOptions = Partial<Omit<PrincipalRecord, 'principal' | 'salt'>> & {
  /** Keys come from it, with the default salt; random ones unless it or `keys`, as of a trust with another realm, are said. */
  readonly password?: string | undefined
  /** One key of each; all of the current ones unless said. */
  readonly enctypes?: readonly Enctype[] | undefined
  /** Other names for the same principal. */
  readonly aliases?: readonly string[] | undefined
}

const DAY = 86_400

/** A realm's principals, in memory. */
export class MemoryDatabase implements PasswordDatabase {
  readonly realm: string
  readonly #random: Random
  readonly #records = new PrincipalMap<PrincipalRecord>()

  /** Begins with the ticket-granting service alone. */
  constructor(realm: string, random: Random) {
    this.realm = realm
    this.#random = random
    this.add(formatPrincipal(ticketGrantingService(realm)), { requiresPreauth: false })
  }

  lookup(principal: Principal): PrincipalRecord | undefined {
    return this.#records.get(principal)
  }

  /** Adds `name`, of this realm unless it says another, or puts it in place of an older one. Throws TypeError for what is no
   * name, and for an identity without the SID of an account. */
  add(
    name: string,
    { password, enctypes = current, aliases = [], ...options }: PrincipalOptions = {},
  ): PrincipalRecord {
    const principal = parsePrincipal(name, { realm: this.realm })
    if (options.identity) requireAccount(options.identity)
    const salt = password === undefined ? undefined : defaultSalt(principal)
    const fullNames = (names: readonly string[] = []) =>
      names.map((other) => formatPrincipal(parsePrincipal(other, { realm: this.realm })))
    const record: PrincipalRecord = {
      principal,
      kvno: 1,
      keys: enctypes.map((enctype) =>
        salt ? Key.fromPassword(enctype, password!, salt) : Key.generate(enctype, this.#random),
      ),
      salt,
      requiresPreauth: password !== undefined,
      locked: false,
      changesPasswords: false,
      forwardable: true,
      renewable: true,
      postdatable: true,
      okAsDelegate: false,
      notDelegated: false,
      okToAuthAsDelegate: false,
      userToUserOnly: false,
      requireAuth: [],
      maxLife: DAY,
      maxRenewLife: 7 * DAY,
      ...options,
      allowedToDelegateTo: fullNames(options.allowedToDelegateTo),
      allowedToActOnBehalf: fullNames(options.allowedToActOnBehalf),
    }
    for (const alias of [name, ...aliases]) this.#records.set(parsePrincipal(alias, { realm: this.realm }), record)
    return record
  }

  /** As {@link PasswordDatabase} has it. Throws TypeError for a principal that is not there. */
  setPassword(principal: Principal, password: string): void {
    const old = this.lookup(principal)
    if (!old) throw new TypeError(`no principal ${formatPrincipal(principal)} in ${this.realm}`)
    const salt = defaultSalt(old.principal)
    const record: PrincipalRecord = {
      ...old,
      kvno: old.kvno + 1,
      keys: old.keys.map(({ enctype }) => Key.fromPassword(enctype, password, salt)),
      salt,
      passwordExpires: undefined,
    }
    this.#records.replace(old, record)
    for (const key of old.keys) key[Symbol.dispose]()
  }

  /** The keys of these principals as a keytab (version 0x502). Throws TypeError for one that is not there. */
  keytab(...names: readonly string[]): Uint8Array<ArrayBuffer> {
    return formatKeytab(
      names.flatMap((name) => {
        const record = this.lookup(parsePrincipal(name, { realm: this.realm }))
        if (!record) throw new TypeError(`no principal ${name} in ${this.realm}`)
        const { principal, kvno, keys } = record
        return keys.map((key) => ({ principal, kvno, timestamp: 0, key: StoredKey.of(key) }))
      }),
    )
  }
}
