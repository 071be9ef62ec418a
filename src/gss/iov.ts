/** Messages in pieces, some of which are only signed: what RPC, SMB and WinRM protect (MS-RPCE §3.3.1.5, MIT's gss_wrap_iov). @module */
import { concat } from '../bytes/index.ts'
import type { SupplementaryCode } from './error.ts'

/**
 * What a buffer of a message in pieces is for. `header`, `padding` and `trailer` are made by wrapping; without a trailer,
 * the header holds what would be in it. `data` is protected, `signOnly` signed and left as it is. A `stream` is a whole
 * token of one piece, to be unwrapped into `data`.
 */
export type IovType = 'header' | 'data' | 'signOnly' | 'padding' | 'trailer' | 'stream'

/** One piece of a message. */
export interface IovBuffer {
  readonly type: IovType
  /** Left out for what is to be made. */
  readonly octets?: Uint8Array | undefined
}

/** What unwrapping pieces gives: the same pieces, those of `data` as they were before. */
export interface IovResult {
  readonly buffers: readonly IovBuffer[]
  readonly encrypted: boolean
  readonly qop: number
  /** What is wrong with the message's place among the others; undefined when nothing is, or nobody looks. */
  readonly supplementary?: SupplementaryCode | undefined
}

/** The octets that a MIC covers: data, and what is only signed, in order. */
export const signedOctets = (buffers: readonly IovBuffer[]): Uint8Array =>
  concat(...buffers.flatMap(({ type, octets }) => ((type === 'data' || type === 'signOnly') && octets ? [octets] : [])))
