/** Triple DES with HMAC-SHA1 in the simplified profile (RFC 3961 §6.3). @module */
import { concat } from '../../bytes/index.ts'
import { PlainBlockMode } from '../legacy/blockmode.ts'
import { desKeys, TripleDes } from '../legacy/des.ts'
import { nfold } from '../nfold.ts'
import type { Primitives } from '../primitives/primitives.ts'
import { BlockDeriver, type Simplified } from './blockderiver.ts'
import { KERBEROS } from './constants.ts'
import { DerivedMaterial, type Suite } from './constructions.ts'
import type { Enctype } from './profile.ts'

const BLOCK = 8
const KEY = 24
/** 168 bits, to which parity is added. */
const SEED = 21
const CHECKSUM = 20

/** des3-cbc-sha1-kd over these primitives. */
export function des3(row: Pick<Enctype, 'id' | 'name' | 'aliases' | 'checksumId'>, primitives: Primitives): Enctype {
  const cipher = (key: Uint8Array) => new PlainBlockMode(new TripleDes(key))
  const profile: Simplified = {
    hash: 'sha1',
    primitives,
    seedSize: SEED,
    cipher,
    randomToKey: desKeys,
    fold: ({ octets }) => (octets.length === BLOCK ? octets : nfold(octets, BLOCK)),
  }
  const suite: Suite = {
    name: row.name,
    keySize: KEY,
    macKeySize: KEY,
    checksumSize: CHECKSUM,
    padding: BLOCK,
    blockSize: BLOCK,
    signs: 'plaintext',
    cipher,
    mac: (key) => primitives.hmac('sha1', key),
    deriver: (key) => new BlockDeriver(profile, key),
  }
  return {
    ...row,
    keySize: KEY,
    seedSize: SEED,
    confounderSize: BLOCK,
    overhead: BLOCK + CHECKSUM,
    padding: BLOCK,
    checksumSize: CHECKSUM,
    standing: 'deprecated',
    stringToKey(password, salt, parameters) {
      if (parameters && parameters.length > 0)
        throw new RangeError(
          `${row.name}: there are no string-to-key parameters, the KDC sent ${parameters.length} octets`,
        )
      const joined = concat(password, salt)
      // Nothing to fold: an empty password with an empty salt stands for one zero octet.
      const seed = nfold(joined.length === 0 ? Uint8Array.of(0) : joined, SEED)
      const key = desKeys(seed)
      using deriver = new BlockDeriver(profile, key)
      for (const secret of [joined, seed, key]) secret.fill(0)
      return deriver.derive(KERBEROS)
    },
    randomToKey: desKeys,
    prepare: (key) => new DerivedMaterial(suite, key),
  }
}
