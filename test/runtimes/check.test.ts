/** The stand-in for Vitest refuses what Vitest refuses: a test that cannot fail shows nothing. */
import { expect, test } from 'vitest'
import * as standIn from './check.ts'

test.each([
  ['toBe', () => standIn.expect(1).toBe(2)],
  ['toEqual', () => standIn.expect(Uint8Array.of(1, 2)).toEqual(Uint8Array.of(1, 3))],
  ['toBeGreaterThan', () => standIn.expect(1).toBeGreaterThan(1)],
  ['toMatch', () => standIn.expect('a').toMatch(/b/)],
  ['toContain', () => standIn.expect(['a']).toContain('b')],
])('%s throws where it does not hold', (_, comparison) => expect(comparison).toThrow(RangeError))

test('what fails is told by its name, and all that was described is counted', async () => {
  standIn.describe.each([1, 2])('suite', (value) =>
    standIn.test.each([[1], [2]])('is one', (other) => standIn.expect(value + other).toBe(2)),
  )
  const { tests, failures } = await standIn.runAll()
  expect(tests).toBe(4)
  expect(failures.map(({ test }) => test)).toEqual([
    'suite (0) > is one (1)',
    'suite (1) > is one (0)',
    'suite (1) > is one (1)',
  ])
})
