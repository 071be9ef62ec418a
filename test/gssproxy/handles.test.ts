/** What a GSS-Proxy server keeps for its clients has bounds: in number, in octets and in time. */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/index.ts'
import type { BoundHandshake } from '../../src/gss/mechanism.ts'
import { BoughtTickets, MAX_HANDLES, MAX_OCTETS } from '../../src/gssproxy/bought.ts'
import { Handshakes, MAX_HANDSHAKES, PATIENCE } from '../../src/gssproxy/handles.ts'
import { MemoryVault } from '../../src/node/gssproxy/vault.ts'
import { random } from '../../src/node/random.ts'

describe('handshakes that wait', () => {
  const begun = () => {
    const handshake = { disposed: false, step: () => Promise.reject(new TypeError('nobody steps')) }
    return Object.assign(handshake, { [Symbol.dispose]: () => void (handshake.disposed = true) }) as BoundHandshake & {
      readonly disposed: boolean
    }
  }
  const vault = new MemoryVault()
  const waiting = (name = 'web') => new Handshakes({ name }, vault, random)

  test(`are ${MAX_HANDSHAKES} at most: the oldest is wiped`, () => {
    const handshakes = waiting()
    const all = Array.from({ length: MAX_HANDSHAKES + 10 }, begun)
    const states = all.map((handshake) => handshakes.keep(handshake, 1000))
    expect(handshakes.size).toBe(MAX_HANDSHAKES)
    expect(all.map(({ disposed }) => disposed).lastIndexOf(true)).toBe(9)
    expect(handshakes.take(states[9]!, 1000)).toBeUndefined()
    expect(handshakes.take(states[10]!, 1000)).toBe(all[10])
  })

  test(`are given up after ${PATIENCE} s`, () => {
    const handshakes = waiting()
    const [early, late] = [begun(), begun()]
    const state = handshakes.keep(early, 1000)
    expect(handshakes.take(state, 1000 + PATIENCE)).toBeUndefined()
    expect([early.disposed, handshakes.size]).toEqual([true, 0])
    handshakes.keep(late, 1000)
    handshakes.keep(begun(), 1000 + PATIENCE)
    expect([late.disposed, handshakes.size]).toEqual([true, 1])
  })

  test('are their own service’s, and taken once', () => {
    const [web, other] = [waiting(), waiting('other')]
    const handshake = begun()
    const state = web.keep(handshake, 1000)
    expect(other.take(state, 1000)).toBeUndefined()
    expect(web.take(state, 1000)).toBe(handshake)
    expect(web.take(state, 1000)).toBeUndefined()
  })
})

describe('tickets that were bought with handles', () => {
  const octets = (size = 4) => new Uint8Array(size).fill(7)

  test('are given out as copies until they end, and wiped then', () => {
    const bought = new BoughtTickets()
    const held = octets()
    bought.keep('a', held, 2000)
    bought.of('a', 1999)!.fill(0)
    expect(toHex(bought.of('a', 1999)!)).toBe('07070707')
    expect(bought.of('a', 2000)).toBeUndefined()
    expect([toHex(held), bought.size]).toEqual(['00000000', 0])
  })

  test('take the place of those that were there', () => {
    const bought = new BoughtTickets()
    const [first, second] = [octets(), octets(8)]
    bought.keep('a', first, 2000)
    bought.keep('a', second, 2000)
    expect([bought.size, bought.of('a', 0)!.length, toHex(first)]).toEqual([1, 8, '00000000'])
  })

  test(`are those of ${MAX_HANDLES} handles at most, and of ${MAX_OCTETS} octets: the longest unused go`, () => {
    const bought = new BoughtTickets()
    for (let i = 0; i < MAX_HANDLES; i++) bought.keep(String(i), octets(), 2000)
    bought.of('0', 0)
    bought.keep('new', octets(), 2000)
    expect([bought.size, bought.of('0', 0)?.length, bought.of('1', 0)]).toEqual([MAX_HANDLES, 4, undefined])
    bought.keep('large', octets(MAX_OCTETS - 8), 2000)
    expect(bought.size).toBe(3)
    bought.keep('too large', octets(MAX_OCTETS + 1), 2000)
    expect(bought.size).toBe(0)
  })
})
