/** Handshakes that happen the same again, so that one token of them can be another one. */
import { expect } from 'vitest'
import { fromUtf8, utf8 } from '../../src/bytes/index.ts'
import { GssError, type SecurityContext } from '../../src/gss/index.ts'
import type { Env } from '../../src/krb5/env.ts'
import { fixedEnv } from './env.ts'

/** The initiator and the acceptor. */
export type Sides = readonly [SecurityContext, SecurityContext]

/** The environment of one handshake: the clock stands, at another microsecond for each `seed`, and chance is the same every time. */
export const again = (env: Env, seed: number): Env => ({
  ...env,
  now: () => moment + seed,
  random: fixedEnv(0, seed).random,
})
const moment = Date.now() * 1000

/** A handshake that can be repeated; `start` makes both sides as they were. */
export class Handshake {
  readonly #start: () => Sides
  /** As they were on the wire, the initiator's first. */
  readonly tokens: readonly Uint8Array[]

  private constructor(start: () => Sides, tokens: readonly Uint8Array[]) {
    this.#start = start
    this.tokens = tokens
  }

  /** Runs it once. */
  static async of(start: () => Sides): Promise<Handshake> {
    const tokens: Uint8Array[] = []
    const sides = start()
    for (let token = await sides[0].step(), turn = 1; token; turn ^= 1) {
      tokens.push(token)
      token = sides[turn]!.complete ? undefined : await sides[turn]!.step(token)
    }
    expect(sides.map(({ complete }) => complete)).toEqual([true, true])
    return new Handshake(start, tokens)
  }

  /**
   * Gives the receiver of token `index` another one, and goes on as long as both sides do. Gives the sides when both are
   * complete; undefined when one of them refused, in which case that one is found to be of no more use.
   */
  async withToken(index: number, octets: Uint8Array): Promise<Sides | undefined> {
    const sides = this.#start()
    const brought = [false, false]
    const bring = async (side: number) => {
      if (brought[side]) return
      brought[side] = true
      if (side === 0) await sides[0].step()
      for (let at = 0; at < index; at++) if ((at + 1) % 2 === side) await sides[side]!.step(this.tokens[at])
    }
    let token: Uint8Array | undefined = octets
    for (let turn = (index + 1) % 2; token && !sides[turn]!.complete; turn ^= 1) {
      await bring(turn)
      try {
        token = await sides[turn]!.step(token)
      } catch (error) {
        await expectOver(sides[turn]!, error, octets)
        return undefined
      }
    }
    if (!sides[0].complete) await bring(0)
    return sides.every(({ complete }) => complete) ? sides : undefined
  }
}

/** What is thrown says whose fault it is, and the context is of no more use (RFC 2743 §2.2.1, §2.2.2). */
export async function expectOver(context: SecurityContext, error: unknown, token: Uint8Array): Promise<void> {
  const isOver = (again: unknown) =>
    again instanceof GssError && again.major === 'GSS_S_NO_CONTEXT' && again.cause === error
  const uses = [() => context.sign(token), () => context.wrap(token), () => context.actualFlags]
  const again = await context.step(token).catch((thrown) => thrown)
  // Many thousand times: what the matchers of the tests would take longer for.
  if (error instanceof GssError && !context.complete && isOver(again) && uses.every((use) => isOver(thrownBy(use))))
    return
  expect.fail(`thrown: ${error}, complete: ${context.complete}, then: ${again}, ${uses.map(thrownBy)}`)
}

function thrownBy(use: () => unknown): unknown {
  try {
    return use()
  } catch (error) {
    return error
  }
}

/** Both sides agree on everything, and protect messages of each other. */
export function expectAgreed([one, two]: Sides): void {
  expect(two.initiatorName.text).toBe(one.initiatorName.text)
  expect(two.mech).toBe(one.mech)
  expect([...two.actualFlags].sort()).toEqual([...one.actualFlags].sort())
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    expect(fromUtf8(to.decrypt(from.encrypt(utf8('there and back'))))).toBe('there and back')
    to.verify(utf8('signed'), from.sign(utf8('signed')))
  }
}
