import { builtin } from '../../src/crypto/primitives/builtin.ts'
import { kernels } from '../../src/crypto/primitives/kernels.ts'
import type { HashName, Primitives } from '../../src/crypto/primitives/primitives.ts'
import { makeScratch, WORK } from '../../src/crypto/primitives/scratch.ts'
import type { Figure, Group, Work } from '../figure.ts'

/** Octets, in steps between which the quicker of two providers may change. */
const sizes = [64, 128, 256, 512, 768, 1024, 1536, 2048, 4096, 16384]

/** The kernels beside the runtime's own primitives, size by size: from where on which of them is taken. */
export const primitives: Group = {
  name: 'primitives',
  everyProvider: false,
  onRequest: true,
  async figures() {
    const other = builtin()
    const compared = (name: string, octets: number, work: (provider: Primitives) => Work): Figure => ({
      name: `${name}, ${octets} B`,
      unit: 'MB/s',
      octets,
      work: work(kernels),
      peers: other ? [{ name: other.name, work: work(other) }] : [],
    })
    return [
      ...sizes.map((size) => compared('AES-256-CBC encrypt', size, (provider) => aes(provider, size, 'encrypt'))),
      ...sizes.map((size) => compared('AES-256-CBC decrypt', size, (provider) => aes(provider, size, 'decrypt'))),
      ...sizes.map((size) => compared('HMAC-SHA-1', size, (provider) => hmac(provider, 'sha1', size))),
    ]
  },
}

function aes(provider: Primitives, size: number, direction: 'encrypt' | 'decrypt'): Work {
  const cipher = provider.aes(new Uint8Array(32))
  const scratch = makeScratch(WORK + size)
  return {
    run(count) {
      for (let i = 0; i < count; i++) cipher[direction](scratch, WORK, WORK + size)
    },
  }
}

function hmac(provider: Primitives, hash: HashName, size: number): Work {
  const mac = provider.hmac(hash, new Uint8Array(32))
  const data = new Uint8Array(size)
  const target = new Uint8Array(64)
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        mac.begin(size)
        mac.update(data, 0, size)
        mac.finish(target, 0, 12)
      }
    },
  }
}
