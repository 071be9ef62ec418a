/** How DES3 and RC4 keys protect the tokens of RFC 1964 (RFC 4757 §7; DES3 as MIT krb5 has it since 1.2). @module */
import type { Key } from '../../crypto/key.ts'
import { PlainBlockMode } from '../../crypto/legacy/blockmode.ts'
import { TripleDes } from '../../crypto/legacy/des.ts'
import { Rc4 } from '../../crypto/legacy/rc4.ts'
import { fastest } from '../../crypto/primitives/fastest.ts'
import { macOf } from '../../crypto/primitives/primitives.ts'
import { makeScratch } from '../../crypto/primitives/scratch.ts'
import { keyUsages } from '../../krb5/usages.ts'

/** A key in RFC 1964's tokens; disposing of it wipes the copies of it. */
export interface LegacyAlgorithms extends Disposable {
  /** SGN_ALG and SEAL_ALG, both little-endian on the wire. */
  readonly id: number
  readonly sealId: number
  /** Octets of a checksum. */
  readonly checksumSize: number
  /** Octets without a meaning that may stand behind the checksum of a MIC. */
  readonly slack: number
  /** Messages are filled up to a multiple of this, by at least one octet. */
  readonly padding: number
  /** The order of the octets of the sequence number. */
  readonly littleEndian: boolean
  sign(kind: 'mic' | 'wrap', parts: readonly Uint8Array[]): Uint8Array
  /** The sequence number's 8 octets, in place, under the checksum beside it. */
  encryptSequence(field: Uint8Array, checksum: Uint8Array): void
  decryptSequence(field: Uint8Array, checksum: Uint8Array): void
  /** Confounder, message and padding, in place. */
  encrypt(text: Uint8Array, sequenceNumber: number): void
  decrypt(text: Uint8Array, sequenceNumber: number): void
}

/** The algorithms that go with the enctype of `key`, which is DES3 or RC4. */
export function algorithmsOf(key: Key): LegacyAlgorithms {
  return key.enctype.id === DES3_CBC_SHA1_KD ? des3(key) : rc4(key)
}

const DES3_CBC_SHA1_KD = 16
const BLOCK = 8
const ZEROS = new Uint8Array(BLOCK)

function des3(key: Key): LegacyAlgorithms {
  const octets = key.octets()
  const mode = new PlainBlockMode(new TripleDes(octets))
  octets.fill(0)
  /** CBC as it is, without a confounder and a checksum of its own. */
  const apply = (operation: 'encrypt' | 'decrypt', text: Uint8Array, iv: Uint8Array) => {
    const area = makeScratch(BLOCK + text.length)
    area.octets.set(iv.subarray(0, BLOCK))
    area.octets.set(text, BLOCK)
    mode[operation](area, BLOCK, area.octets.length)
    text.set(area.octets.subarray(BLOCK))
    area.octets.fill(0)
  }
  return {
    id: 0x0004,
    sealId: 0x0002,
    checksumSize: 20,
    // Heimdal 7 counts the token's identifier twice, and leaves two octets behind the checksum as they were in memory.
    slack: 2,
    padding: BLOCK,
    littleEndian: true,
    sign: (_, parts) => key.checksum(keyUsages.des3Token, parts),
    encryptSequence: (field, checksum) => apply('encrypt', field, checksum),
    decryptSequence: (field, checksum) => apply('decrypt', field, checksum),
    encrypt: (text) => apply('encrypt', text, ZEROS),
    decrypt: (text) => apply('decrypt', text, ZEROS),
    [Symbol.dispose]: () => mode[Symbol.dispose](),
  }
}

const RC4_SIZE = 16
/** RFC 4757 §7.3: messages are encrypted with the key turned over in these bits. */
const LOCAL_KEY_MASK = 0xf0

function rc4(key: Key): LegacyAlgorithms {
  const sequenceKey = key.octets()
  const messageKey = sequenceKey.map((octet) => octet ^ LOCAL_KEY_MASK)
  // A stream undoes itself.
  const onSequence = (field: Uint8Array, checksum: Uint8Array) => applyStream(sequenceKey, checksum, field)
  const onText = (text: Uint8Array, sequenceNumber: number) => {
    const number = new Uint8Array(4)
    new DataView(number.buffer).setUint32(0, sequenceNumber)
    applyStream(messageKey, number, text)
  }
  return {
    id: 0x0011,
    sealId: 0x0010,
    checksumSize: 8,
    slack: 0,
    padding: 1,
    littleEndian: false,
    sign: (kind, parts) => key.checksum(kind === 'mic' ? keyUsages.rc4Mic : keyUsages.rc4Wrap, parts).subarray(0, 8),
    encryptSequence: onSequence,
    decryptSequence: onSequence,
    encrypt: onText,
    decrypt: onText,
    [Symbol.dispose]() {
      sequenceKey.fill(0)
      messageKey.fill(0)
    },
  }
}

/** RFC 4757 §7.3: the stream's key is made in two steps, of zero and of what differs from message to message. */
function applyStream(key: Uint8Array, salt: Uint8Array, text: Uint8Array): void {
  const first = macWith(key, new Uint8Array(4))
  const second = macWith(first, salt)
  using stream = new Rc4(second)
  stream.apply(text, 0, text.length, text, 0)
  first.fill(0)
  second.fill(0)
}

function macWith(key: Uint8Array, data: Uint8Array): Uint8Array {
  using mac = fastest.hmac('md5', key)
  return macOf(mac, data, RC4_SIZE)
}
