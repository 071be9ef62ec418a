/** For each operation and size the provider that was measured to be the faster one here. @module */
import { KernelAes } from '../kernels/aes.ts'
import { builtin } from './builtin.ts'
import { kernels } from './kernels.ts'
import type { BlockMode, HashName, Mac, Primitives } from './primitives.ts'
import type { Scratch } from './scratch.ts'

/**
 * Octets from which the runtime's own primitive is the faster one (bench/README.md tells how that was measured).
 * Infinity: never; 0: always.
 */
const CROSSOVER: {
  readonly encrypt: number
  readonly decrypt: number
  readonly hmac: Readonly<Record<HashName, number>>
  readonly hash: Readonly<Record<HashName, number>>
  readonly pbkdf2: Readonly<Record<HashName, number>>
} = {
  encrypt: 512,
  decrypt: 512,
  hmac: { md5: 0, sha1: 1536, sha256: 0, sha384: 0, sha512: 0 },
  hash: { md5: 0, sha1: 1536, sha256: 0, sha384: 0, sha512: 0 },
  pbkdf2: { md5: 0, sha1: 0, sha256: 0, sha384: 0, sha512: 0 },
}

/** The kernels for what is short, the runtime's own primitives for what is long, where there are any. */
export const fastest: Primitives = {
  name: 'fastest',
  aes: (key) => new SizedAes(key),
  hmac: (hash, key) => new SizedMac(hash, key),
  hash: (hash, data) => chosen(data.length, CROSSOVER.hash[hash]).hash(hash, data),
  pbkdf2: (hash, password, salt, iterations, size) =>
    chosen(size, CROSSOVER.pbkdf2[hash]).pbkdf2(hash, password, salt, iterations, size),
}

const chosen = (size: number, crossover: number): Primitives => (size < crossover ? kernels : (builtin() ?? kernels))

class SizedAes implements BlockMode {
  readonly blockSize = 16
  readonly #short: KernelAes
  #long: BlockMode | undefined

  constructor(key: Uint8Array) {
    this.#short = new KernelAes(key)
  }

  encrypt(scratch: Scratch, from: number, to: number): void {
    if (to - from < CROSSOVER.encrypt) this.#short.encrypt(scratch, from, to)
    else (this.#long ?? this.#lengthen()).encrypt(scratch, from, to)
  }

  decrypt(scratch: Scratch, from: number, to: number): void {
    if (to - from < CROSSOVER.decrypt) this.#short.decrypt(scratch, from, to)
    else (this.#long ?? this.#lengthen()).decrypt(scratch, from, to)
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
