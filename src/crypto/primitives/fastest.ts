/** For each operation and size the provider that was measured to be the faster one here. @module */
import { KernelAes } from '../kernels/aes.ts'
import { builtin } from './builtin.ts'
import { kernels } from './kernels.ts'
import type { BlockMode, HashName, Mac, Primitives } from './primitives.ts'
import type { Scratch } from './scratch.ts'

/**
 * Octets from which the runtime's own primitive was measured to be the faster one; 0: always. A cipher object costs more
 * than it saves on the one text that most session keys see, so the first text of a key has to be longer.
 */
const CROSSOVER = {
  aes: { first: 1536, later: 384 },
  hmac: { md5: 0, sha1: 768, sha256: 0, sha384: 0, sha512: 0 },
  hash: { md5: 0, sha1: 512, sha256: 64, sha384: 0, sha512: 0 },
} as const

/**
 * Passwords that the runtime derives keys from before the kernel does: compiled, it takes two thirds of the runtime's time,
 * but until then the 28 ms of one password are what it saves on sixteen, and most programs ask for one.
 */
const PASSWORDS = 16
let passwords = 0

/** The kernels for what is short, the runtime's own primitives for what is long, where there are any. */
export const fastest: Primitives = {
  name: 'fastest',
  aes: (key) => new SizedAes(key),
  hmac: (hash, key) => new SizedMac(hash, key),
  hash: (hash, data) => chosen(data.length, CROSSOVER.hash[hash]).hash(hash, data),
  pbkdf2(hash, password, salt, iterations, size) {
    const kernel = hash === 'sha1' && passwords++ >= PASSWORDS
    return (kernel ? kernels : (builtin() ?? kernels)).pbkdf2(hash, password, salt, iterations, size)
  },
}

const chosen = (size: number, crossover: number): Primitives => (size < crossover ? kernels : (builtin() ?? kernels))

class SizedAes implements BlockMode {
  readonly blockSize = 16
  readonly #short: KernelAes
  #long: BlockMode | undefined
  #crossover: number = CROSSOVER.aes.first

  constructor(key: Uint8Array) {
    this.#short = new KernelAes(key)
  }

  encrypt(scratch: Scratch, from: number, to: number): void {
    this.#for(to - from).encrypt(scratch, from, to)
  }

  decrypt(scratch: Scratch, from: number, to: number): void {
    this.#for(to - from).decrypt(scratch, from, to)
  }

  encrypted(scratch: Scratch, from: number, to: number): Uint8Array | undefined {
    return this.#for(to - from).encrypted?.(scratch, from, to)
  }

  decrypted(ciphertext: Uint8Array, size: number): Uint8Array | undefined {
    return this.#for(size).decrypted?.(ciphertext, size)
  }

  #for(size: number): BlockMode {
    const crossover = this.#crossover
    if (size >= CROSSOVER.aes.later) this.#crossover = CROSSOVER.aes.later
    return size < crossover ? this.#short : (this.#long ?? this.#lengthen())
  }

  #lengthen(): BlockMode {
    const key = this.#short.octets()
    this.#long = builtin()?.aes(key) ?? this.#short
    key.fill(0)
    return this.#long
  }

  [Symbol.dispose](): void {
    this.#short[Symbol.dispose]()
    this.#long?.[Symbol.dispose]()
  }
}

class SizedMac implements Mac {
  readonly #hash: HashName
  readonly #key: Uint8Array
  #short: Mac | undefined
  #long: Mac | undefined
  #run: Mac | undefined

  constructor(hash: HashName, key: Uint8Array) {
    this.#hash = hash
    this.#key = new Uint8Array(key)
  }

  begin(size: number): void {
    const crossover = CROSSOVER.hmac[this.#hash]
    this.#run =
      size < crossover
        ? (this.#short ??= kernels.hmac(this.#hash, this.#key))
        : (this.#long ??= chosen(size, crossover).hmac(this.#hash, this.#key))
    this.#run.begin(size)
  }

  update(data: Uint8Array, from: number, to: number): void {
    this.#run!.update(data, from, to)
  }

  finish(target: Uint8Array, offset: number, size: number): void {
    this.#run!.finish(target, offset, size)
  }

  [Symbol.dispose](): void {
    this.#key.fill(0)
    this.#short?.[Symbol.dispose]()
    this.#long?.[Symbol.dispose]()
    this.#run = undefined
  }
}
