import { decode } from '../../src/asn1/codec.ts'
import { run } from '../../src/effects/index.ts'
import { unframe } from '../../src/gss/frame.ts'
import { type EstablishedContext, type Handshake, type Mechanism, Name } from '../../src/gss/index.ts'
import { spnego } from '../../src/spnego/index.ts'
import { NegotiationToken } from '../../src/spnego/messages.ts'
import { fakeCredentials, type NoQuestions } from './fake.ts'

export type Fake = Mechanism<NoQuestions>

/** One step of a handshake that asks nothing. */
export const step = (handshake: Handshake<NoQuestions>, token?: Uint8Array) => run(handshake.step(token), {})

export const initiate = (mechanisms: readonly Fake[]): Handshake<NoQuestions> =>
  spnego(mechanisms).initiate({
    target: Name.hostbased('HTTP@www'),
    credentials: fakeCredentials(mechanisms),
    flags: new Set(['mutualAuthentication']),
  })

export const accept = (mechanisms: readonly Fake[]): Handshake<NoQuestions> =>
  spnego(mechanisms).accept({ credentials: fakeCredentials(mechanisms) })

export interface Session {
  /** As they were on the wire, the initiator's first. */
  readonly tokens: readonly Uint8Array[]
  readonly initiator: EstablishedContext | undefined
  readonly acceptor: EstablishedContext | undefined
}

/** Lets both sides talk until neither has a token to send. `alter` stands between them. */
export async function negotiate(
  offers: readonly Fake[],
  accepts: readonly Fake[],
  alter: (token: Uint8Array, index: number) => Uint8Array = (token) => token,
): Promise<Session> {
  const sides = [initiate(offers), accept(accepts)] as const
  const contexts: (EstablishedContext | undefined)[] = [undefined, undefined]
  const tokens: Uint8Array[] = []
  let turn = 0
  for (let token: Uint8Array | undefined, first = true; first || token; first = false, turn ^= 1) {
    const leg = await step(sides[turn]!, token)
    contexts[turn] ??= leg.context
    token = leg.token && alter(leg.token, tokens.length)
    if (token) tokens.push(token)
  }
  return { tokens, initiator: contexts[0], acceptor: contexts[1] }
}

/** A token's message, its frame taken off where it has one. */
export function message(token: Uint8Array) {
  const { kind, value } = decode(NegotiationToken, token[0] === 0x60 ? unframe(token).innerToken : token)
  return kind === 'negTokenInit' ? { kind, ...value } : { kind, ...value }
}
