/** The providers of cryptographic primitives, by the name that the table shows. @module */

import type { Enctype } from '../src/crypto/enctypes/profile.ts'
import { enctypeById, enctypes, makeEnctypes } from '../src/crypto/enctypes/table.ts'
import { noble } from '../src/crypto/primitives/noble.ts'

/** The one that users get unless they insist on another. */
export const usual = 'usual'

/** Enctypes over each provider. */
export const providers: Readonly<Record<string, readonly Enctype[]>> = {
  [usual]: enctypes,
  noble: makeEnctypes(noble).current,
}

/** aes256-cts-hmac-sha1-96, with which all figures are made, over a provider. */
export const enctypeOf = (provider: string): Enctype => enctypeById(18, providers[provider])!
