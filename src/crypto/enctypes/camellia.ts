/** Camellia in CTS mode with CMAC (RFC 6803). @module */
import { concat, utf8 } from '../../bytes/index.ts'
import { PlainBlockMode } from '../legacy/blockmode.ts'
import { Camellia } from '../legacy/camellia.ts'
import { Cmac } from '../legacy/cmac.ts'
import { type Mac, macOf, type Primitives } from '../primitives/primitives.ts'
import { type Constant, KERBEROS, PRF } from './constants.ts'
import { DerivedMaterial, type Deriver, type Suite } from './constructions.ts'
import { iterationCount } from './iterations.ts'
import type { Enctype } from './profile.ts'

const BLOCK = 16
/** Rounds of PBKDF2 when the KDC names none (RFC 6803 §4). */
const ROUNDS = 32768

/** A Camellia enctype; only its string-to-key needs the primitives. */
export function camellia(
  row: Pick<Enctype, 'id' | 'name' | 'aliases' | 'keySize' | 'checksumId'>,
  primitives: Primitives,
): Enctype {
  const { name, keySize } = row
  const suite: Suite = {
    name,
    keySize,
    macKeySize: keySize,
    checksumSize: BLOCK,
    padding: 1,
    blockSize: BLOCK,
    signs: 'plaintext',
    cipher,
    mac: (key) => new Cmac(cipher(key)),
    deriver: (key) => new FeedbackDeriver(key),
  }
  return {
    ...row,
    seedSize: keySize,
    confounderSize: BLOCK,
    overhead: 2 * BLOCK,
    padding: 1,
    checksumSize: BLOCK,
    standing: 'deprecated',
    stringToKey(password, salt, parameters, fewest) {
      const rounds = iterationCount(parameters, ROUNDS, name, fewest)
      const labelled = concat(utf8(name), Uint8Array.of(0), salt)
      const seed = primitives.pbkdf2('sha1', password, labelled, rounds, keySize)
      using deriver = suite.deriver(seed)
      seed.fill(0)
      return deriver.derive(KERBEROS, keySize)
    },
    randomToKey: (seed) => new Uint8Array(seed),
    prepare: (key) => new DerivedMaterial(suite, key),
  }
}

const cipher = (key: Uint8Array) => new PlainBlockMode(new Camellia(key))

/** KDF-FEEDBACK-CMAC (RFC 6803 §3): each block is the CMAC of the one before, a counter, the constant and the size. */
class FeedbackDeriver implements Deriver {
  readonly #keySize: number
  readonly #mac: Mac

  constructor(key: Uint8Array) {
    this.#keySize = key.length
    this.#mac = new Cmac(cipher(key))
  }

  derive({ octets }: Constant, size: number): Uint8Array {
    const key = new Uint8Array(size)
    const input = new Uint8Array(BLOCK + 4 + octets.length + 1 + 4)
    const view = new DataView(input.buffer)
    input.set(octets, BLOCK + 4)
    view.setUint32(input.length - 4, size * 8)
    for (let at = 0, counter = 1; at < size; at += BLOCK, counter++) {
      view.setUint32(BLOCK, counter)
      const block = macOf(this.#mac, input, BLOCK)
      key.set(block, at)
      input.set(block)
      block.fill(0)
    }
    input.fill(0)
    return key
  }

  /** RFC 6803 §6: CMAC with a derived key. */
  prf(data: Uint8Array): Uint8Array {
    const key = this.derive(PRF, this.#keySize)
    using mac = new Cmac(cipher(key))
    key.fill(0)
    return macOf(mac, data, BLOCK)
  }

  [Symbol.dispose](): void {
    this.#mac[Symbol.dispose]()
  }
}
