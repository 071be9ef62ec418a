import { utf8 } from '../../src/bytes/index.ts'
import { Key } from '../../src/crypto/key.ts'
import type { Group } from '../figure.ts'
import { enctypeOf } from '../providers.ts'

/** The cost of a password login: string-to-key (RFC 3962 §4, 4096 rounds). The password and salt are those of mit.c. */
export const passwords: Group = {
  name: 'passwords',
  everyProvider: true,
  figures: async ({ provider }) => {
    const enctype = enctypeOf(provider)
    const salt = utf8('BENCH.TESTalice')
    return [
      {
        name: `string-to-key ${enctype.id}`,
        unit: 'ms',
        peers: [{ mit: `string-to-key ${enctype.id}` }],
        work: {
          run(count) {
            for (let i = 0; i < count; i++) Key.fromPassword(enctype, 'password', salt)[Symbol.dispose]()
          },
        },
      },
    ]
  },
}
