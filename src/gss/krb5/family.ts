import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import type { Random } from '../../crypto/random.ts'
import type { IovBuffer } from '../iov.ts'
import { type OpenedPieces, unwrapPieces, wrapPieces } from './iov.ts'
import { unwrapOlderPieces, wrapOlderPieces } from './iov1964.ts'
import { type Direction, type Opened, rfc4121 } from './tokens.ts'
import { rfc1964 } from './tokens1964.ts'

/** One of the two kinds of per-message tokens that the mechanism has had. */
export interface TokenFamily {
  readonly name: 'rfc1964' | 'rfc4121'
  /** How many sequence numbers there are before they begin anew; undefined for more than anybody uses. */
  readonly sequences?: number
  makeMic(message: Uint8Array, sequenceNumber: number, direction: Direction): Uint8Array
  /** Gives the sequence number. Throws GssError. */
  verifyMic(message: Uint8Array, token: Uint8Array, direction: Direction): number
  makeWrap(
    message: Uint8Array,
    encrypt: boolean,
    sequenceNumber: number,
    direction: Direction,
    random: Random,
  ): Uint8Array
  /** Throws GssError. */
  openWrap(token: Uint8Array, direction: Direction): Opened
  /** As `makeWrap`, of a message in pieces. Throws GssError. */
  wrapPieces(
    buffers: readonly IovBuffer[],
    encrypt: boolean,
    sequenceNumber: number,
    direction: Direction,
    random: Random,
  ): readonly IovBuffer[]
  /** As `openWrap`, of a message in pieces. Throws GssError. */
  unwrapPieces(buffers: readonly IovBuffer[], direction: Direction): OpenedPieces
  largestMessage(size: number, encrypt: boolean, direction: Direction): number
  /** The token that tells the peer that the context is deleted; RFC 4121 has none any more. */
  makeDeletion?(sequenceNumber: number, direction: Direction): Uint8Array
  /** Gives the sequence number. Throws GssError. */
  verifyDeletion?(token: Uint8Array, direction: Direction): number
}

/** Enctypes older than RFC 4121: DES3 and RC4, of which only the deprecated list has any (RFC 4121 §2). */
const older: readonly number[] = [16, 23]

/** Both and, on top of them, messages in pieces. */
const current: TokenFamily = { name: 'rfc4121', ...rfc4121, wrapPieces, unwrapPieces }
const former: TokenFamily = {
  name: 'rfc1964',
  ...rfc1964,
  wrapPieces: wrapOlderPieces,
  unwrapPieces: unwrapOlderPieces,
}

/** The tokens that go with a key: RFC 1964's for DES3 and RC4, RFC 4121's for all others. */
export const familyOf = ({ enctype }: Key): TokenFamily => (older.includes(enctype.id) ? former : current)

/**
 * Whether an acceptor's subkey becomes the context's key: in RFC 4121 it does (§2). RFC 1964 knows of none, and MIT's library
 * heeds none of the initiator's own enctype but in DCE style.
 */
export const heedsAcceptorSubkey = (initiatorKey: Key, { id }: Enctype, dceStyle: boolean): boolean =>
  dceStyle || familyOf(initiatorKey) !== former || initiatorKey.enctype.id !== id
