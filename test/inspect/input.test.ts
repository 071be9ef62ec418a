/** What the inspector takes as input, and what it costs to find that it is none. */
import { expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { inspect } from '../../src/inspect/index.ts'

test('a file of white space is passed over in time that grows with its length alone', () => {
  const start = performance.now()
  try {
    inspect(utf8(`${' '.repeat(200_000)}!`))
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
  }
  expect(performance.now() - start).toBeLessThan(5000)
})
