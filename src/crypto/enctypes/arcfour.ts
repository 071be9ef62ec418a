/** RC4 with HMAC-MD5 (RFC 4757), as Windows has it. @module */
import { equal, fromUtf8, utf8 } from '../../bytes/index.ts'
import { allocate } from '../../bytes/slab.ts'
import { IntegrityError } from '../error.ts'
import { md4 } from '../legacy/md4.ts'
import { Rc4 } from '../legacy/rc4.ts'
import { type Mac, macOf, type Primitives } from '../primitives/primitives.ts'
import {
  type Enctype,
  isSignOnly,
  type KeyMaterial,
  type Part,
  type Purpose,
  type SignedAt,
  type WorkingKeys,
} from './profile.ts'

const SIZE = 16
const CONFOUNDER = 8
const OVERHEAD = SIZE + CONFOUNDER
/** RFC 4757 §4: the terminating zero belongs to it. */
const SIGNATURE_KEY = utf8('signaturekey\0')

/** Usages that Windows numbers otherwise (RFC 4757 §3); it also says 8 for 9, which MIT and Windows do not do. */
const TRANSLATED: Readonly<Record<number, number>> = { 3: 8, 23: 13 }

/** rc4-hmac over these primitives. */
export function arcfour(row: Pick<Enctype, 'id' | 'name' | 'aliases' | 'checksumId'>, primitives: Primitives): Enctype {
  return {
    ...row,
    keySize: SIZE,
    seedSize: SIZE,
    confounderSize: CONFOUNDER,
    overhead: OVERHEAD,
    padding: 1,
    checksumSize: SIZE,
    standing: 'deprecated',
    // RFC 4757 §2: the salt does not enter, and there are no parameters.
    stringToKey(password) {
      const text = utf16(fromUtf8(password))
      const key = md4(text)
      text.fill(0)
      return key
    },
    randomToKey: (seed) => new Uint8Array(seed),
    prepare: (key) => new ArcfourMaterial(primitives, row.name, key),
  }
}

/**
 * KERB_CHECKSUM_HMAC_MD5 (RFC 4757 §4), or without the derived key what MIT calls md5-hmac-rc4; Windows makes it with
 * keys of any enctype (MS-SFU §2.2.1).
 */
export function hmacMd5Checksum(
  primitives: Primitives,
  key: Uint8Array,
  usage: number,
  parts: readonly Uint8Array[],
  derive = true,
): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 4)
  const input = new Uint8Array(size)
  input.set(usageOctets(usage))
  let at = 4
  for (const part of parts) {
    input.set(part, at)
    at += part.length
  }
  const signing = derive ? macWith(primitives, key, SIGNATURE_KEY) : new Uint8Array(key)
  const checksum = macWith(primitives, signing, primitives.hash('md5', input))
  signing.fill(0)
  return checksum
}

class ArcfourMaterial implements KeyMaterial {
  readonly #primitives: Primitives
  readonly #name: string
  readonly #key: Uint8Array

  constructor(primitives: Primitives, name: string, key: Uint8Array) {
    this.#primitives = primitives
    this.#name = name
    this.#key = new Uint8Array(key)
  }

  working(usage: number): WorkingKeys {
    return new ArcfourKeys(this.#primitives, this.#name, this.#key, usage, this.derived(usage, 'encrypt'))
  }

  derived(usage: number, purpose: Purpose): Uint8Array {
    return macWith(this.#primitives, this.#key, purpose === 'checksum' ? SIGNATURE_KEY : usageOctets(usage))
  }

  /** HMAC-SHA1, uncut, as MIT and Windows have it. */
  prf(data: Uint8Array): Uint8Array {
    using mac = this.#primitives.hmac('sha1', this.#key)
    return macOf(mac, data, 20)
  }

  [Symbol.dispose](): void {
    this.#key.fill(0)
  }
}

class ArcfourKeys implements WorkingKeys {
  readonly #primitives: Primitives
  readonly #name: string
  readonly #key: Uint8Array
  readonly usage: number
  readonly #mac: Mac

  constructor(primitives: Primitives, name: string, key: Uint8Array, usage: number, usageKey: Uint8Array) {
    this.#primitives = primitives
    this.#name = name
    this.#key = key
    this.usage = usage
    this.#mac = primitives.hmac('md5', usageKey)
    usageKey.fill(0)
  }

  seal(parts: readonly Part[], size: number, confounder: Uint8Array, offset: number, length: number): Uint8Array {
    const target = allocate(length)
    const mac = this.#mac
    mac.begin(CONFOUNDER + size)
    mac.update(confounder, 0, CONFOUNDER)
    for (const part of parts) {
      const octets = isSignOnly(part) ? part.signOnly : part
      mac.update(octets, 0, octets.length)
    }
    mac.finish(target, offset, SIZE)
    using stream = this.#stream(target.subarray(offset, offset + SIZE))
    let at = offset + SIZE
    stream.apply(confounder, 0, CONFOUNDER, target, at)
    at += CONFOUNDER
    for (const part of parts)
      if (!isSignOnly(part)) {
        stream.apply(part, 0, part.length, target, at)
        at += part.length
      }
    return target
  }

  open(ciphertext: Uint8Array, signed: readonly SignedAt[]): Uint8Array {
    const size = ciphertext.length - SIZE
    if (size < CONFOUNDER) throw new IntegrityError(`${this.#name}: no ciphertext has ${ciphertext.length} octets`)
    const checksum = ciphertext.subarray(0, SIZE)
    const text = new Uint8Array(size)
    using stream = this.#stream(checksum)
    stream.apply(ciphertext, SIZE, ciphertext.length, text, 0)
    const mac = this.#mac
    mac.begin(size)
    let at = 0
    for (const { at: position, signOnly } of signed) {
      const next = Math.max(at, Math.min(size, CONFOUNDER + position))
      mac.update(text, at, next)
      mac.update(signOnly, 0, signOnly.length)
      at = next
    }
    mac.update(text, at, size)
    const made = new Uint8Array(SIZE)
    mac.finish(made, 0, SIZE)
    if (!equal(made, checksum)) {
      text.fill(0)
      throw new IntegrityError(`${this.#name}: checksum does not match`)
    }
    return text.subarray(CONFOUNDER)
  }

  checksum(parts: readonly Uint8Array[]): Uint8Array {
    return hmacMd5Checksum(this.#primitives, this.#key, this.usage, parts)
  }

  [Symbol.dispose](): void {
    this.#mac[Symbol.dispose]()
  }

  /** The key stream of one message, which hangs on its checksum (RFC 4757 §5). */
  #stream(checksum: Uint8Array): Rc4 {
    const key = macOf(this.#mac, checksum, SIZE)
    const stream = new Rc4(key)
    key.fill(0)
    return stream
  }
}

function macWith(primitives: Primitives, key: Uint8Array, data: Uint8Array): Uint8Array {
  using mac = primitives.hmac('md5', key)
  return macOf(mac, data, SIZE)
}

function usageOctets(usage: number): Uint8Array {
  const number = TRANSLATED[usage] ?? usage
  return Uint8Array.of(number, number >>> 8, number >>> 16, number >>> 24)
}

/** `text` in UTF-16, little-endian. */
function utf16(text: string): Uint8Array {
  const octets = new Uint8Array(2 * text.length)
  for (let i = 0; i < text.length; i++) {
    octets[2 * i] = text.charCodeAt(i)
    octets[2 * i + 1] = text.charCodeAt(i) >> 8
  }
  return octets
}
