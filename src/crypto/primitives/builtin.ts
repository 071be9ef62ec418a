/**
 * The runtime's own primitives: `node:crypto`, looked up and never imported, where it is present and right: Node, Deno,
 * Bun, workerd with nodejs_compat. Elsewhere there is none of this. What OpenSSL holds of a key is out of reach: it is
 * overwritten there once the garbage collector frees it. @module
 */
import { equal, fromHex, toHex, utf8 } from '../../bytes/index.ts'
import { HmacSha1, sha1 } from '../kernels/sha1.ts'
import { nobleHash, nobleMac, noblePbkdf2 } from './noblehash.ts'
import { type BlockMode, type HashName, hashSizes, type Mac, macOf, type Primitives } from './primitives.ts'
import { makeScratch, type Scratch, WORK } from './scratch.ts'

const lookUp = () => globalThis.process?.getBuiltinModule?.('node:crypto')
type Crypto = NonNullable<ReturnType<typeof lookUp>>

let found: Primitives | undefined
let sought = false

/** The runtime's own primitives; undefined where there are none or they do not do what they should. */
export function builtin(): Primitives | undefined {
  if (!sought) {
    sought = true
    try {
      const crypto = lookUp()
      const candidate = crypto && over(crypto)
      if (candidate && isRight(candidate)) found = candidate
    } catch {
      // A runtime that has the module but not its ciphers; the other providers have them.
    }
  }
  return found
}

function over(crypto: Crypto): Primitives {
  // OpenSSL in FIPS mode has no MD5, and others may lack something else: @noble has them all.
  const lacking = new Set((Object.keys(hashSizes) as HashName[]).filter((hash) => !has(crypto, hash)))
  return {
    name: 'builtin',
    aes: (key) => new BuiltinAes(crypto, key),
    hmac(hash, key) {
      if (lacking.has(hash)) return nobleMac(hash, key)
      return hash === 'sha1' ? new BuiltinHmacSha1(crypto, key) : new BuiltinMac(crypto, hash, key)
    },
    hash: (hash, data) =>
      lacking.has(hash) ? nobleHash(hash, data) : plain(crypto.createHash(hash).update(data).digest()),
    pbkdf2: (hash, password, salt, iterations, size) =>
      lacking.has(hash)
        ? noblePbkdf2(hash, password, salt, iterations, size)
        : plain(crypto.pbkdf2Sync(password, salt, iterations, size, hash)),
  }
}

function has(crypto: Crypto, hash: HashName): boolean {
  try {
    crypto.createHash(hash)
    return true
  } catch {
    return false
  }
}

/** The octets of a Buffer, whose memory may be a pool's and whose `slice` does not copy, in an array of their own. */
const plain = (buffer: Uint8Array): Uint8Array => new Uint8Array(buffer)

/** The same as an array whose memory is nobody else's, copied only where it has to be. */
const own = (buffer: Uint8Array): Uint8Array =>
  buffer.length === buffer.buffer.byteLength ? new Uint8Array(buffer.buffer) : plain(buffer)

/** A digest as a text, a character an octet: memory outside the heap, as a Buffer has, costs as much as hashing two kilobytes. */
const AS_TEXT = 'binary'

/** Octets from which memory of its own costs a text less than being copied in and out. */
const LONG = 1024

/**
 * One cipher object a direction and key, never finished: what it is chained to is its own last ciphertext block, which
 * is exchanged for the wanted IV by exclusive or. A new object would cost more than a kilobyte of AES.
 */
class BuiltinAes implements BlockMode {
  readonly blockSize = 16
  readonly #crypto: Crypto
  readonly #key: Uint8Array
  #cipher: ReturnType<Crypto['createCipheriv']> | undefined
  #decipher: ReturnType<Crypto['createDecipheriv']> | undefined
  /** The last ciphertext block that went through each of them. */
  readonly #encrypted = new Uint8Array(16)
  readonly #decrypted = new Uint8Array(16)
  /** What a block of zeros is encrypted to. */
  readonly #zeros = new Uint8Array(16)

  constructor(crypto: Crypto, key: Uint8Array) {
    this.#crypto = crypto
    this.#key = new Uint8Array(key)
  }

  encrypt({ octets }: Scratch, from: number, to: number): void {
    if (to === from) return
    const chain = this.#encrypted
    const cipher = this.#cipher ?? this.#encrypting()
    for (let i = 0; i < 16; i++) octets[from + i]! ^= octets[from - 16 + i]! ^ chain[i]!
    octets.set(cipher.update(octets.subarray(from, to)), from)
    for (let i = 0; i < 16; i++) chain[i] = octets[to - 16 + i]!
  }

  /** The room comes from blocks that are encrypted as well: the one in front out of what makes it a known one. */
  encrypted({ octets }: Scratch, from: number, to: number): Uint8Array | undefined {
    if (to - from < LONG) return undefined
    const chain = this.#encrypted
    const cipher = this.#cipher ?? this.#encrypting()
    for (let i = 0; i < 16; i++) {
      octets[from + i]! ^= octets[from - 16 + i]! ^ this.#zeros[i]!
      octets[from - 16 + i] = chain[i]!
      octets[to + i] = 0
    }
    const result = own(cipher.update(octets.subarray(from - 16, to + 16)))
    const end = result.length - 16
    for (let i = 0; i < 16; i++) {
      chain[i] = result[end + i]!
      result[i] = 0
      result[end + i] = 0
    }
    return result
  }

  decrypt({ octets }: Scratch, from: number, to: number): void {
    if (to === from) return
    const text = this.#plain(octets, from, to)
    for (let i = 0; i < 16; i++) text[i]! ^= octets[from - 16 + i]!
    octets.set(text, from)
    text.fill(0)
  }

  decrypted(ciphertext: Uint8Array, size: number): Uint8Array | undefined {
    return size < LONG ? undefined : own(this.#plain(ciphertext, 0, size))
  }

  /** Decrypts what stands between `from` and `to` with an IV of zeros. */
  #plain(ciphertext: Uint8Array, from: number, to: number): Uint8Array {
    this.#decipher ??= this.#crypto
      .createDecipheriv(`aes-${this.#key.length * 8}-cbc`, this.#key, new Uint8Array(16))
      .setAutoPadding(false)
    const chain = this.#decrypted
    const text = this.#decipher.update(ciphertext.subarray(from, to))
    for (let i = 0; i < 16; i++) {
      text[i]! ^= chain[i]!
      chain[i] = ciphertext[to - 16 + i]!
    }
    return text
  }

  #encrypting() {
    const zeros = new Uint8Array(16)
    this.#cipher = this.#crypto
      .createCipheriv(`aes-${this.#key.length * 8}-cbc`, this.#key, zeros)
      .setAutoPadding(false)
    this.#zeros.set(this.#cipher.update(zeros))
    this.#encrypted.set(this.#zeros)
    return this.#cipher
  }

  [Symbol.dispose](): void {
    this.#key.fill(0)
    this.#encrypted.fill(0)
    this.#decrypted.fill(0)
    this.#zeros.fill(0)
    this.#cipher = undefined
    this.#decipher = undefined
  }
}

class BuiltinMac implements Mac {
  readonly #crypto: Crypto
  readonly #hash: HashName
  readonly #key: Uint8Array
  #run: ReturnType<Crypto['createHmac']> | undefined

  constructor(crypto: Crypto, hash: HashName, key: Uint8Array) {
    this.#crypto = crypto
    this.#hash = hash
    this.#key = new Uint8Array(key)
  }

  begin(): void {
    this.#run = this.#crypto.createHmac(this.#hash, this.#key)
  }

  update(data: Uint8Array, from: number, to: number): void {
    this.#run?.update(from === 0 && to === data.length ? data : data.subarray(from, to))
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    const digest = this.#run!.digest(AS_TEXT)
    for (let i = 0; i < size; i++) target[offset + i] = digest.charCodeAt(i)
    this.#run = undefined
  }

  [Symbol.dispose](): void {
    this.#key.fill(0)
    this.#run = undefined
  }
}

/** Octets up to which a message is gathered with its key's inner block, to be hashed in one call that makes no object. */
const GATHERED = 8192
const gathered = new Uint8Array(64 + GATHERED)
/** Whose message is being gathered; that of another has its own hash object meanwhile. */
let gathering: BuiltinHmacSha1 | undefined

/**
 * HMAC-SHA1 in one call for the inner hash, or, of what is long, with the hash of the key's inner block kept and copied, and
 * one block of the kernel around the result: a quarter of what an HMAC object costs, which is as much as hashing two kilobytes.
 */
class BuiltinHmacSha1 implements Mac {
  /** What older runtimes lack is no method of theirs. */
  readonly #crypto: Omit<Crypto, 'hash'> & Partial<Pick<Crypto, 'hash'>>
  readonly #outer: HmacSha1
  readonly #block = new Uint8Array(64).fill(0x36)
  #inner: ReturnType<Crypto['createHash']> | undefined
  #run: ReturnType<Crypto['createHash']> | undefined
  #end = 0

  constructor(crypto: Crypto, key: Uint8Array) {
    const block = this.#block
    const short = key.length > block.length ? sha1(key) : key
    for (let i = 0; i < short.length; i++) block[i]! ^= short[i]!
    this.#crypto = crypto
    this.#outer = new HmacSha1(key)
  }

  begin(size: number): void {
    if (gathering === this) this.#forget()
    this.#run = undefined
    if (this.#crypto.hash && size <= GATHERED && !gathering) {
      gathering = this
      gathered.set(this.#block)
      this.#end = 64
      return
    }
    this.#inner ??= this.#crypto.createHash('sha1').update(this.#block)
    this.#run = this.#inner.copy()
  }

  update(data: Uint8Array, from: number, to: number): void {
    const piece = from === 0 && to === data.length ? data : data.subarray(from, to)
    if (gathering === this) {
      gathered.set(piece, this.#end)
      this.#end += piece.length
    } else this.#run!.update(piece)
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    let digest: string
    if (gathering === this) {
      digest = this.#crypto.hash!('sha1', gathered.subarray(0, this.#end), AS_TEXT)
      this.#forget()
    } else digest = this.#run!.digest(AS_TEXT)
    this.#run = undefined
    this.#outer.close(digest, target, offset, size)
  }

  #forget(): void {
    gathered.fill(0, 0, this.#end)
    gathering = undefined
  }

  [Symbol.dispose](): void {
    if (gathering === this) this.#forget()
    this.#outer[Symbol.dispose]()
    this.#block.fill(0)
    this.#inner = undefined
    this.#run = undefined
  }
}

/**
 * Whether CBC goes on from call to call as {@link BuiltinAes} needs it (FIPS 197 §C.1), in both directions, and hashes are
 * made in one call and copied as {@link BuiltinHmacSha1} needs it (RFC 2202 §3).
 */
function isRight(candidate: Primitives): boolean {
  const text = fromHex('00112233445566778899aabbccddeeff')
  const wanted = fromHex('69c4e0d86a7b0430d8cdb78070b4c55a')
  using gathers = candidate.hmac('sha1', new Uint8Array(20).fill(0x0b))
  using copies = candidate.hmac('sha1', new Uint8Array(20).fill(0x0b))
  gathers.begin(0)
  const [copied, whole] = [copies, gathers].map((mac) => toHex(macOf(mac, utf8('Hi There'), 20)))
  if (copied !== 'b617318655057264e28bc0b6fb378c8ef146be00' || whole !== copied) return false
  using cipher = candidate.aes(fromHex('000102030405060708090a0b0c0d0e0f'))
  return [0, 1].every(() => {
    const scratch = makeScratch(WORK + 16)
    scratch.octets.set(text, WORK)
    cipher.encrypt(scratch, WORK, WORK + 16)
    const sealed = scratch.octets.slice(WORK)
    cipher.decrypt(scratch, WORK, WORK + 16)
    return equal(sealed, wanted) && equal(scratch.octets.subarray(WORK), text)
  })
}
