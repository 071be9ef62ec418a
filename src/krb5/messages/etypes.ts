import { sequenceOf } from '../../asn1/structures.ts'
import { Int32 } from './basics.ts'

/** RFC 4537 §3: enctypes in decreasing preference. */
export const EtypeList = sequenceOf(Int32)
