/** Texts of any length through a block cipher in CBC mode, a piece at a time. @module */
import { allocate, slabFor } from '../../bytes/slab.ts'
import type { BlockMode, Mac } from '../primitives/primitives.ts'
import { CHUNK, LIMIT, SPARE, scratch, WHOLE, WORK, wipe } from '../primitives/scratch.ts'
import { isSignOnly, type Part, type SignedAt, type SignOnly } from './profile.ts'

/** Texts of any length under one key of a block cipher. */
export class Blocks implements Disposable {
  readonly #cipher: BlockMode
  readonly #stealing: boolean
  readonly #mac: Mac | undefined

  /**
   * With `stealing` a ciphertext is as long as its text, which has at least a block (CTS, RFC 3962 §5: CBC, then the
   * last two blocks swapped); else the text is filled up with zeros to whole blocks. What is sealed or opened goes through
   * `mac` on its way, which the caller begins, finishes and disposes of; the cipher is disposed of with this.
   */
  constructor(cipher: BlockMode, stealing: boolean, mac?: Mac) {
    this.#cipher = cipher
    this.#stealing = stealing
    this.#mac = mac
  }

  /**
   * Encrypts `confounder` and the octets of `parts` with a zero IV: an array of `length` octets with the result from
   * `offset` on, and zeros elsewhere.
   */
  seal(confounder: Uint8Array, parts: readonly Part[], offset: number, length: number): Uint8Array {
    const cipher = this.#cipher
    if (length <= IN_PLACE && offset <= cipher.blockSize) return this.#sealInPlace(confounder, parts, offset, length)
    let target: Uint8Array | undefined
    const { octets } = scratch
    const mac = this.#mac
    const limit = WORK + (cipher.encrypted && length <= WHOLE ? WHOLE : LIMIT)
    let at = offset
    let signed = WORK
    let end = WORK + confounder.length
    copy(confounder, 0, confounder.length, octets, WORK)
    for (const part of parts) {
      if (isSignOnly(part)) {
        this.#signApart(octets, signed, end, part)
        signed = end
        continue
      }
      for (let from = 0; from < part.length; ) {
        if (end === limit) {
          mac?.update(octets, signed, end)
          target ??= new Uint8Array(length)
          cipher.encrypt(scratch, WORK, WORK + CHUNK)
          copy(octets, WORK, WORK + CHUNK, target, at)
          at += CHUNK
          // The last block encrypted is the IV of what follows, which is the rest of the work.
          octets.copyWithin(0, CHUNK, WORK + LIMIT)
          octets.fill(0, WORK + LIMIT - CHUNK, WORK + LIMIT)
          end -= CHUNK
          signed = end
        }
        const to = Math.min(part.length, from + limit - end)
        copy(part, from, to, octets, end)
        end += to - from
        from = to
      }
    }
    const block = cipher.blockSize
    const padded = end + ((block - (end % block)) % block)
    mac?.update(octets, signed, this.#stealing ? end : padded)
    // What the cipher makes has a block of room at both ends.
    if (!target && padded > APART && offset <= block && length - offset <= padded - WORK + block) {
      const roomy = cipher.encrypted?.(scratch, WORK, padded)
      if (roomy) {
        if (this.#stealing) steal(roomy, WORK, padded, end, block)
        wipe(scratch, padded + block)
        return roomy.subarray(block - offset, block - offset + length)
      }
    }
    target ??= allocate(length)
    cipher.encrypt(scratch, WORK, padded)
    if (!this.#stealing || padded === WORK + block) copy(octets, WORK, padded, target, at)
    else {
      const cut = padded - 2 * block
      copy(octets, WORK, cut, target, at)
      copy(octets, cut + block, padded, target, at + cut - WORK)
      copy(octets, cut, end - block, target, at + cut - WORK + block)
    }
    wipe(scratch, padded)
    return target
  }

  /** Gives the MAC the text from `from` to `to`, and what is only signed behind it. */
  #signApart(octets: Uint8Array, from: number, to: number, { signOnly }: SignOnly): void {
    this.#mac?.update(octets, from, to)
    this.#mac?.update(signOnly, 0, signOnly.length)
  }

  /** As {@link seal}, of what is short: in the memory where it stays, whose zeros in front are the IV. */
  #sealInPlace(confounder: Uint8Array, parts: readonly Part[], offset: number, length: number): Uint8Array {
    const cipher = this.#cipher
    const mac = this.#mac
    const block = cipher.blockSize
    const size = length + 2 * block
    const slab = slabFor(size)
    const { octets } = slab
    const start = slab.take(size) + block
    let signed = start
    let end = start + confounder.length
    copy(confounder, 0, confounder.length, octets, start)
    for (const part of parts) {
      if (isSignOnly(part)) {
        this.#signApart(octets, signed, end, part)
        signed = end
        continue
      }
      copy(part, 0, part.length, octets, end)
      end += part.length
    }
    const padded = end + ((block - ((end - start) % block)) % block)
    mac?.update(octets, signed, this.#stealing ? end : padded)
    cipher.encrypt(slab, start, padded)
    if (this.#stealing) steal(octets, start, padded, end, block)
    return new Uint8Array(octets.buffer, start - offset, length)
  }

  /**
   * The text of the first `size` octets of `ciphertext`, which are at least a block, without the first `skipped`, at most a
   * block. What is `signed` goes through the MAC in its places, counted from behind those, and comes in their order.
   */
  open(ciphertext: Uint8Array, size: number, skipped = 0, signed: readonly SignedAt[] = []): Uint8Array {
    const cipher = this.#cipher
    const stealing = this.#stealing
    const { octets } = scratch
    const block = cipher.blockSize
    const whole = stealing && size > APART ? this.#openApart(ciphertext, size, skipped, signed) : undefined
    if (whole) return whole
    const text = new Uint8Array(size - skipped)
    let at = 0
    let told = 0
    for (; size - at > LIMIT; at += CHUNK) {
      if (at > 0) copy(ciphertext, at - block, at, octets, WORK - block)
      copy(ciphertext, at, at + CHUNK, octets, WORK)
      cipher.decrypt(scratch, WORK, WORK + CHUNK)
      told = this.#tell(octets, WORK, CHUNK, signed, told, at - skipped)
      copy(octets, at === 0 ? WORK + skipped : WORK, WORK + CHUNK, text, Math.max(0, at - skipped))
    }
    if (at > 0) copy(ciphertext, at - block, at, octets, WORK - block)
    const rest = size - at
    let padded = WORK + rest
    if (!stealing || rest === block) copy(ciphertext, at, size, octets, WORK)
    else {
      const tail = rest % block || block
      const cut = WORK + rest - tail - block
      padded = cut + 2 * block
      copy(ciphertext, at, at + cut - WORK, octets, WORK)
      if (tail < block) restoreStolen(cipher, ciphertext, at + cut - WORK, cut)
      copy(ciphertext, size - tail, size, octets, cut)
      copy(ciphertext, at + cut - WORK, at + cut - WORK + block, octets, cut + block)
    }
    cipher.decrypt(scratch, WORK, padded)
    told = this.#tell(octets, WORK, rest, signed, told, at - skipped)
    this.#tellRest(signed, told)
    copy(octets, at === 0 ? WORK + skipped : WORK, WORK + rest, text, Math.max(0, at - skipped))
    wipe(scratch, Math.max(padded, at > 0 ? WORK + CHUNK : 0))
    return text
  }

  /**
   * As {@link open}, by a cipher that decrypts into memory of its own; undefined where it does not. It gets the last two
   * blocks as they were swapped, the last one filled up with whatever stands behind, and both are put right afterwards.
   */
  #openApart(
    ciphertext: Uint8Array,
    size: number,
    skipped: number,
    signed: readonly SignedAt[],
  ): Uint8Array | undefined {
    const cipher = this.#cipher
    const block = cipher.blockSize
    const tail = size % block || block
    const padded = size - tail + block
    if (ciphertext.length < padded) return undefined
    const text = cipher.decrypted?.(ciphertext, padded)
    if (!text) return undefined
    const { octets } = scratch
    const last = padded - block
    const cut = last - block
    for (let i = 0; i < block; i++) {
      const before = ciphertext[cut - block + i]!
      const deciphered = text[cut + i]! ^ before
      const stolen = i < tail ? ciphertext[last + i]! : deciphered
      text[last + i] = deciphered ^ stolen
      octets[WORK - block + i] = before
      octets[WORK + i] = stolen
    }
    cipher.decrypt(scratch, WORK, WORK + block)
    copy(octets, WORK, WORK + block, text, cut)
    wipe(scratch, WORK + block)
    this.#tellRest(signed, this.#tell(text, 0, size, signed, 0, -skipped))
    return text.subarray(skipped, size)
  }

  /**
   * Gives the MAC the `size` octets of `octets` from `start` on, which are those of a text from the octet `at` on, and among
   * them what is signed from the place `told` of its list on. Returns the place of what comes later.
   */
  #tell(
    octets: Uint8Array,
    start: number,
    size: number,
    signed: readonly SignedAt[],
    told: number,
    at: number,
  ): number {
    const mac = this.#mac
    if (!mac) return signed.length
    let from = 0
    for (; told < signed.length; told++) {
      const { at: place, signOnly } = signed[told]!
      const to = Math.max(from, place - at)
      if (to >= size) break
      mac.update(octets, start + from, start + to)
      mac.update(signOnly, 0, signOnly.length)
      from = to
    }
    mac.update(octets, start + from, start + size)
    return told
  }

  /** Gives the MAC what is signed behind the text. */
  #tellRest(signed: readonly SignedAt[], told: number): void {
    for (; told < signed.length; told++) this.#mac?.update(signed[told]!.signOnly, 0, signed[told]!.signOnly.length)
  }

  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]()
  }
}

/**
 * Swaps the last two blocks of the ciphertext from `start` to `padded`, of a text that ends at `end`, and cuts the other's
 * end.
 */
function steal(octets: Uint8Array, start: number, padded: number, end: number, block: number): void {
  if (padded === start + block) return
  const last = padded - block
  const cut = last - block
  const tail = end - last
  for (let i = 0; i < tail; i++) {
    const stolen = octets[cut + i]!
    octets[cut + i] = octets[last + i]!
    octets[last + i] = stolen
  }
  for (let i = tail; i < block; i++) {
    octets[cut + i] = octets[last + i]!
    octets[last + i] = 0
  }
}

/** The second to last block as it was before its end was cut off: what the last block decrypts to holds that end. */
function restoreStolen(cipher: BlockMode, ciphertext: Uint8Array, from: number, to: number): void {
  const { octets } = scratch
  const block = cipher.blockSize
  copy(ciphertext, from, from + block, octets, SPARE)
  cipher.decrypt(scratch, SPARE, SPARE + block)
  copy(octets, SPARE, SPARE + block, octets, to)
  for (let i = 0; i < block; i++) octets[SPARE + i] = 0
}

/** Octets of a ciphertext up to which it is made in memory that it shares with others; longer ones get their own. */
const IN_PLACE = 1024
/** Octets above which a cipher is asked for a result in memory of its own. */
const APART = 256
/** Octets from which a call of `set` beats a loop, and from which it does with a view made for it. */
const WORTH_A_CALL = 24
const WORTH_A_VIEW = 256

/** Copies octets; a loop does eight at a turn, as V8 asks in each turn anew what the arrays are. */
function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  const size = to - from
  if (size >= WORTH_A_VIEW || (size >= WORTH_A_CALL && size === source.length)) {
    target.set(size === source.length ? source : source.subarray(from, to), at)
    return
  }
  let i = from
  let j = at
  for (; i <= to - 8; i += 8, j += 8) {
    target[j] = source[i]!
    target[j + 1] = source[i + 1]!
    target[j + 2] = source[i + 2]!
    target[j + 3] = source[i + 3]!
    target[j + 4] = source[i + 4]!
    target[j + 5] = source[i + 5]!
    target[j + 6] = source[i + 6]!
    target[j + 7] = source[i + 7]!
  }
  while (i < to) target[j++] = source[i++]!
}
