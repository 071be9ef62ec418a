/** The providers of cryptographic primitives, by the name that the table shows. @module */
import type { Enctype } from '../src/crypto/enctypes/profile.ts'
import { enctypeById, enctypes, makeEnctypes } from '../src/crypto/enctypes/table.ts'
import { builtin } from '../src/crypto/primitives/builtin.ts'
import { kernels } from '../src/crypto/primitives/kernels.ts'
import { noble } from '../src/crypto/primitives/noble.ts'
import type { Primitives } from '../src/crypto/primitives/primitives.ts'

/** The one that users get unless they insist on another. */
export const usual = 'usual'

/** Every other one that this runtime has. */
export const single: readonly Primitives[] = [kernels, builtin(), noble].filter((provider) => provider !== undefined)

/** Enctypes over each provider. */
export const providers: Readonly<Record<string, readonly Enctype[]>> = {
  [usual]: enctypes,
  ...Object.fromEntries(single.map((provider) => [provider.name, makeEnctypes(provider).current])),
}

/** aes256-cts-hmac-sha1-96, with which all figures are made, over a provider. */
export const enctypeOf = (provider: string): Enctype => enctypeById(18, providers[provider])!
