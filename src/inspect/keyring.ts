/** Every key that one inspection knows: those it was given, and those that it finds in what it opens. @module */

import { krbFxCf2 } from '../crypto/derive.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { deprecatedEnctypes, enctypes } from '../crypto/enctypes/table.ts'
import { IntegrityError } from '../crypto/error.ts'
import { Key } from '../crypto/key.ts'
import { Secrets } from '../crypto/secrets.ts'
import type { ServiceKey } from '../krb5/credential.ts'
import type { EncryptedData, EncryptionKey } from '../krb5/messages/basics.ts'
import { formatPrincipal, grantedRealm } from '../krb5/names.ts'

/** Most keys that are held, and most decryptions that are tried. */
const MAX_KEYS = 2048
const MAX_TRIES = 20_000
/** Most octets that all those decryptions together go through. */
const MAX_TRIED_OCTETS = 1 << 26
/** Most salts that a password is tried with, each of which costs thousands of hashes. */
const MAX_SALTS = 16

/** Most keys that another is mixed with. */
const MAX_MIXED = 64
const ARMOR = 'the armor key'
const MIXED = 'a key of FAST and '

/** A key and whose it is, in words. */
export interface HeldKey {
  readonly key: Key
  readonly origin: string
  /** The realm whose ticket-granting service it belongs to, which signs the PACs of that realm. */
  readonly signsFor?: string
}

/** What was sealed, and the key that opened it. */
export interface Opening {
  readonly plaintext: Uint8Array
  readonly held: HeldKey
}

const known: readonly Enctype[] = [...enctypes, ...deprecatedEnctypes]

/** Keys to try; disposing wipes those that were found, not those that were given. */
export class KeyRing implements Disposable {
  readonly #held: HeldKey[] = []
  readonly #secrets = new Secrets()
  readonly #password: string | undefined
  readonly #salts = new Map<string, { readonly salt: Uint8Array; readonly parameters: Uint8Array | undefined }>()
  readonly #derived = new Set<string>()
  #tries = MAX_TRIES
  #octetsLeft = MAX_TRIED_OCTETS

  constructor(keys: readonly ServiceKey[], password: string | undefined) {
    this.#password = password
    for (const { principal, kvno, key } of keys) {
      const realm = grantedRealm(principal)
      const origin = `the key of ${formatPrincipal(principal)}, version ${kvno}`
      this.#hold(realm === principal.realm ? { key, origin, signsFor: realm } : { key, origin })
    }
  }

  /** The keys of the ticket-granting service of a realm, to verify PACs with. */
  kdcKeys(realm: string): readonly Key[] {
    return this.#held.filter(({ signsFor }) => signsFor === realm).map(({ key }) => key)
  }

  /** Every key, the newest first. */
  get all(): readonly HeldKey[] {
    return [...this.#held].reverse()
  }

  /** Takes a key that was found; those of unknown enctypes are passed over. */
  learn({ keytype, keyvalue }: EncryptionKey, origin: string): Key | undefined {
    const enctype = known.find(({ id }) => id === keytype)
    if (enctype?.keySize !== keyvalue.length || this.#held.length >= MAX_KEYS) return undefined
    const key = this.#secrets.keep(new Key(enctype, keyvalue))
    this.#hold({ key, origin })
    return key
  }

  /** Remembers a salt that the password may have been used with. */
  season(salt: Uint8Array, parameters?: Uint8Array): void {
    if (this.#password === undefined || this.#salts.size >= MAX_SALTS) return
    this.#salts.set(`${salt.join()}/${parameters?.join()}`, { salt, parameters })
  }

  /** The armor key of FAST is made of two others (RFC 6113 §5.4.1.1). */
  armor(subkey: EncryptionKey, sessionKey: Key): void {
    const own = this.learn(subkey, 'the subkey of the armor')
    if (!own) return
    const key = this.#secrets.keep(krbFxCf2(own, sessionKey, 'subkeyarmor', 'ticketarmor'))
    this.#hold({ key, origin: ARMOR })
  }

  /** Encrypted challenges are sealed with keys that the armor key is mixed into, one for each side (RFC 6113 §5.4.6). */
  challenge(): void {
    const armor = this.all.find(({ origin }) => origin === ARMOR)?.key
    if (armor)
      for (const pepper of ['clientchallengearmor', 'kdcchallengearmor']) this.#mix(armor, pepper, 'challengelongterm')
  }

  /** A reply inside FAST is sealed with a key that this one is mixed into (RFC 6113 §5.4.3). */
  strengthen(strengthenKey: EncryptionKey): void {
    const own = this.learn(strengthenKey, 'the strengthening key')
    if (!own) return
    this.#mix(own, 'strengthenkey', 'replykey')
  }

  /** Tries every key of the enctype under each of `usages`, the newest first; undefined when none fits. */
  open(
    { etype, cipher }: EncryptedData,
    usages: readonly number[],
  ): (Opening & { readonly usage: number }) | undefined {
    this.#derive(etype)
    for (const held of this.all) {
      if (held.key.enctype.id !== etype) continue
      for (const usage of usages) {
        if (!this.affords(cipher.length)) return undefined
        const plaintext = decrypted(held.key, usage, cipher)
        if (plaintext) return { plaintext, held, usage }
      }
    }
    return undefined
  }

  /** Whether one more try to open so many octets is within bounds, which it then counts towards. */
  affords(octets: number): boolean {
    this.#tries -= 1
    this.#octetsLeft -= octets
    return this.#tries >= 0 && this.#octetsLeft >= 0
  }

  [Symbol.dispose](): void {
    this.#held.length = 0
    this.#secrets[Symbol.dispose]()
  }

  #hold(held: HeldKey): void {
    if (this.#held.length < MAX_KEYS && !this.#held.some(({ key }) => key.equals(held.key))) this.#held.push(held)
  }

  /** Mixes a key with every other one: which of them it goes with is found out by trying. */
  #mix(own: Key, pepper: string, otherPepper: string): void {
    for (const { id } of enctypes) this.#derive(id)
    for (const { key, origin } of this.all.filter(({ origin }) => !origin.startsWith(MIXED)).slice(0, MAX_MIXED)) {
      const mixed = this.#secrets.keep(krbFxCf2(own, key, pepper, otherPepper))
      this.#hold({ key: mixed, origin: `${MIXED}${origin}` })
    }
  }

  #derive(etype: number): void {
    const enctype = known.find(({ id }) => id === etype)
    if (this.#password === undefined || !enctype) return
    for (const [id, { salt, parameters }] of this.#salts) {
      const derived = `${etype}/${id}`
      if (this.#derived.has(derived)) continue
      this.#derived.add(derived)
      try {
        const key = this.#secrets.keep(Key.fromPassword(enctype, this.#password, salt, parameters))
        this.#hold({ key, origin: 'the password' })
      } catch (error) {
        if (!(error instanceof RangeError)) throw error // of parameters that ask for too many rounds
      }
    }
  }
}

function decrypted(key: Key, usage: number, ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return key.decrypt(usage, ciphertext)
  } catch (error) {
    if (error instanceof IntegrityError) return undefined
    throw error
  }
}
