import { expect, test } from 'vitest'
import { Secrets } from '../../src/crypto/secrets.ts'

test('secrets held together are released together, the last one first, and octets overwritten', () => {
  const released: string[] = []
  const octets = Uint8Array.of(1, 2, 3)
  const secret = (name: string) => ({ [Symbol.dispose]: () => void released.push(`${name} ${octets.join('')}`) })
  {
    using secrets = new Secrets()
    secrets.keep(secret('first'))
    expect(secrets.wiped(octets)).toBe(octets)
    secrets.keep(secret('last'))
    expect(octets).toEqual(Uint8Array.of(1, 2, 3))
  }
  expect(released).toEqual(['last 123', 'first 000'])
  expect(octets).toEqual(new Uint8Array(3))
})
