import { describe, expect, test } from 'vitest'
import { aesSource, sha1Source } from '../../tools/kernels.ts'

describe('the kernels', () => {
  test('are what tools/kernels.ts writes', async () => {
    await expect(aesSource()).toMatchFileSnapshot('../../src/crypto/kernels/aestable.ts')
    await expect(sha1Source()).toMatchFileSnapshot('../../src/crypto/kernels/sha1table.ts')
  })
})
