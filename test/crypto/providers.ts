import { makeEnctypes } from '../../src/crypto/enctypes/table.ts'
import { builtin } from '../../src/crypto/primitives/builtin.ts'
import { fastest } from '../../src/crypto/primitives/fastest.ts'
import { kernels } from '../../src/crypto/primitives/kernels.ts'
import { noble } from '../../src/crypto/primitives/noble.ts'

/** Every provider of primitives there is on this machine, the mixed one included. */
export const providers = [noble, kernels, builtin(), fastest].filter((one) => one !== undefined)

/** Every provider, with all the rows of the table over it. */
export const suites = providers.map((primitives) => {
  const { current, deprecated } = makeEnctypes(primitives)
  return { name: primitives.name, primitives, rows: [...current, ...deprecated] }
})
