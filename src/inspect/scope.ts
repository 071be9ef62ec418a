import type { Codec } from '../asn1/codec.ts'
import type { KeyRing } from './keyring.ts'
import type { Outline } from './outline.ts'

/** What every part of one inspection shares. */
export interface Scope {
  readonly ring: KeyRing
  /** Whether keys and passwords are shown. */
  readonly showKeys: boolean
  /** Explains a value of a known type, member by member. */
  walk(codec: Codec<unknown>, octets: Uint8Array, outline: Outline, label?: string): void
  /** Explains octets of whatever kind. */
  explain(octets: Uint8Array, outline: Outline): void
}

/** What more there is to say of a member, below its line: what its octets hold, or what they open to. */
export type Rule = (value: unknown, outline: Outline, siblings: Readonly<Record<string, unknown>>, scope: Scope) => void

/** Rules by `Type.member`. */
export type Rules = Readonly<Record<string, Rule>>
