/** Half-open contexts that were exported, by this library or by C, go on here. @module */
import type { Env } from '../../krb5/env.ts'
import { type Principal, parsePrincipal } from '../../krb5/names.ts'
import type { KrbQuestions } from '../../krb5/questions.ts'
import { GssError } from '../error.ts'
import { flagsOf } from '../flags.ts'
import type { HalfOpen, Handshake } from '../mechanism.ts'
import { Krb5Context } from './context.ts'
import { type ExportedContext, isHalfOpen, parseContext, wipeContext } from './exported.ts'
import { importKey } from './exportedkeys.ts'
import type { ApState } from './exportedparts.ts'
import { AwaitingLastReply, AwaitingReply } from './halfopen.ts'
import { contextName } from './names.ts'

/** The handshake in such a token; undefined for one of an established context. Throws {@link GssError}. */
export function resumeHandshake(token: Uint8Array, env: Env): HalfOpen<Handshake<KrbQuestions>> | undefined {
  if (!isHalfOpen(token)) return undefined
  const exported = parseContext(token)
  try {
    const { awaiting, locallyInitiated, here, there } = exported
    if (!awaiting) return undefined
    const flags = flagsOf(exported.flags)
    const target = contextName(locallyInitiated ? there : here)
    return locallyInitiated
      ? { usage: 'initiate', target, flags, handshake: initiator(exported, awaiting, env) }
      : { usage: 'accept', target, flags, handshake: acceptor(exported, awaiting, env) }
  } finally {
    wipeContext(exported)
  }
}

function initiator(exported: ExportedContext, awaiting: ApState, env: Env): AwaitingReply {
  const { here, there, sendSequence: sequenceNumber, ticket } = exported
  const { time, micros } = awaiting
  const [client, server] = [principalOf(here), principalOf(there)]
  using sessionKey = importKey(awaiting.sessionKey, env)
  const subkey = importKey(exported.initiatorKey, env)
  const ap = { subkey, sequenceNumber, time, micros, [Symbol.dispose]: () => subkey[Symbol.dispose]() }
  const ownKey = sessionKey.copy()
  const flags = flagsOf(exported.flags)
  return new AwaitingReply({ ap, key: ownKey, ownKey, client, server, ticket, flags, carried: false }, env)
}

function acceptor(exported: ExportedContext, awaiting: ApState, env: Env): AwaitingLastReply {
  const { here, sendSequence: sequenceNumber } = exported
  const { time, micros } = awaiting
  const server = principalOf(here)
  using key = importKey(awaiting.sessionKey, env)
  const context = Krb5Context.of(exported, env)
  return new AwaitingLastReply({ context, key: key.copy(), server, time, micros, sequenceNumber })
}

function principalOf(text: string): Principal {
  try {
    return parsePrincipal(text)
  } catch (cause) {
    throw new GssError('GSS_S_DEFECTIVE_TOKEN', `the exported context names nobody: ${text}`, { cause })
  }
}
