/** Keys, encryption types and what is derived from them (RFC 3961, 3962, 8009). @module */
export {
  type ChecksumType,
  checksumFits,
  checksumTypeById,
  checksumTypeName,
  checksumTypes,
  keyedChecksum,
  plainChecksum,
} from './checksums.ts'
export { krbFxCf2, nfold, octetStringToKey, pkinitKey, prfPlus } from './derive.ts'
export {
  ciphertextSize,
  type Enctype,
  type KeyMaterial,
  type Part,
  type Purpose,
  type SignedAt,
  type SignOnly,
  type WorkingKeys,
} from './enctypes/profile.ts'
export {
  deprecatedEnctypes,
  enctypeById,
  enctypeByName,
  enctypeName,
  enctypeRefusal,
  enctypes,
  makeEnctypes,
} from './enctypes/table.ts'
export { IntegrityError } from './error.ts'
export { Key } from './key.ts'
export { builtin } from './primitives/builtin.ts'
export { fastest } from './primitives/fastest.ts'
export { kernels } from './primitives/kernels.ts'
export { noble } from './primitives/noble.ts'
export type { BlockMode, HashName, Mac, Primitives } from './primitives/primitives.ts'
export type { Scratch } from './primitives/scratch.ts'
export type { Random } from './random.ts'
export { Secrets } from './secrets.ts'
