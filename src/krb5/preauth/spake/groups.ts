/** The groups of RFC 9588 §4.1 and what its §10.3 says of them. @module */
import { fromHex } from '../../../bytes/index.ts'
import type { HashName } from '../../../crypto/primitives/primitives.ts'

/** A group that SPAKE may be run in; `points.ts` calculates in it. */
export interface SpakeGroup {
  /** Its number in the registry. */
  readonly id: number
  readonly name: string
  readonly hash: HashName
  /** Blinds the KDC's public key. */
  readonly m: Uint8Array
  /** Blinds the client's. */
  readonly n: Uint8Array
}

/** Every group there is, best first. */
export const spakeGroups: readonly SpakeGroup[] = [
  {
    id: 1,
    name: 'edwards25519',
    hash: 'sha256',
    m: fromHex('d048032c6ea0b6d697ddc2e86bda85a33adac920f1bf18e1b0c6d166a5cecdaf'),
    n: fromHex('d3bfb518f44f3430f29d0c92af503865a1ed3281dc69b35dd868ba85f886c4ab'),
  },
  {
    id: 2,
    name: 'P-256',
    hash: 'sha256',
    m: fromHex('02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f'),
    n: fromHex('03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49'),
  },
  {
    id: 3,
    name: 'P-384',
    hash: 'sha384',
    m: fromHex('030ff0895ae5ebf6187080a82d82b42e2765e3b2f8749c7e05eba366434b363d3dc36f15314739074d2eb8613fceec2853'),
    n: fromHex('02c72cf2e390853a1c1c4ad816a62fd15824f56078918f43f922ca21518f9c543bb252c5490214cf9aa3f0baab4b665c10'),
  },
  {
    id: 4,
    name: 'P-521',
    hash: 'sha512',
    m: fromHex(
      '02003f06f38131b2ba2600791e82488e8d20ab889af753a41806c5db18d37d85608cfae06b82e4a72cd744c719193562a653ea1f119eef9356907edc9b56979962d7aa',
    ),
    n: fromHex(
      '0200c7924b9ec017f3094562894336a53c50167ba8c5963876880542bc669e494b2532d76c5b53dfb349fdf69154b9e0048c58a42e8ed04cef052a3bc349d95575cd25',
    ),
  },
]
