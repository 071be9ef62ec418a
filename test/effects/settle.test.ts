import { expect, test } from 'vitest'
import { answered, ask, type Exchange, run, settle } from '../../src/effects/index.ts'

type Asked = { readonly double: { readonly ask: number; readonly answer: number } }
const world = { double: async (number: number) => 2 * number }

function* doubled(number: number, told: (what: string) => void): Exchange<Asked, number> {
  try {
    return yield* ask<Asked, 'double'>('double', number)
  } finally {
    told('released')
  }
}

test('what asks nothing has its value at once, or throws at once', async () => {
  expect(
    settle<Asked, number>(
      answered(() => 3),
      world,
    ),
  ).toBe(3)
  const failing = () =>
    answered<Asked, number>(() => {
      throw new TypeError('no')
    })
  expect(() => settle(failing(), world)).toThrow(TypeError)
  await expect(run(failing(), world)).rejects.toThrow(TypeError)
})

test('what asks is a promise, and releases what it held however it ends', async () => {
  const told: string[] = []
  const pending = settle(
    doubled(4, (what) => told.push(what)),
    world,
  )
  expect(pending).toBeInstanceOf(Promise)
  expect(await pending).toBe(8)
  const refusing = { double: () => Promise.reject(new TypeError('nobody')) }
  await expect(
    settle(
      doubled(4, (what) => told.push(what)),
      refusing,
    ),
  ).rejects.toThrow('nobody')
  expect(told).toEqual(['released', 'released'])
})
