import type { Principal } from '../krb5/names.ts'

/** A reply, and what it was about. */
export interface Outcome {
  readonly reply: Uint8Array
  readonly client: Principal
  readonly service: Principal
  /** Of the session key. */
  readonly enctype: string
}
