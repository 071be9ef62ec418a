/** Keys, encryption types and what is derived from them (RFC 3961, 3962, 8009). @module */
export { krbFxCf2, nfold, prfPlus } from './derive.ts'
export type { Enctype } from './enctypes/profile.ts'
export {
  deprecatedEnctypes,
  enctypeById,
  enctypeByName,
  enctypeName,
  enctypes,
  makeEnctypes,
} from './enctypes/table.ts'
export { IntegrityError } from './error.ts'
export { Key } from './key.ts'
export { noble } from './primitives/noble.ts'
export type { HashName, Primitives } from './primitives/primitives.ts'
export type { Random } from './random.ts'
export { Secrets } from './secrets.ts'
