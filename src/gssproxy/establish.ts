/** The procedures that establish contexts. @module */
import { GssError } from '../gss/error.ts'
import type { BoundHandshake, EstablishedContext, Leg } from '../gss/mechanism.ts'
import { credentialsFor, handleOf } from './credentials.ts'
import type { Desk } from './handles.ts'
import type { Ctx } from './messages.ts'
import { type Args, procedures, type Result } from './procedures.ts'
import {
  bindingsFromWire,
  CONTINUE_NEEDED,
  done,
  flagsFromWire,
  flagsToWire,
  krb5Ctx,
  lifetimeTo,
  nameFromWire,
  nameToWire,
  oidFrom,
} from './wire.ts'

/** INIT_SEC_CONTEXT: the next leg of an initiator. What waits for the acceptor's answer stays here. */
export async function initSecContext(args: Args<'INIT_SEC_CONTEXT'>, desk: Desk): Promise<Result<'INIT_SEC_CONTEXT'>> {
  const { service, now, handshakes } = desk
  const { contextHandle, inputToken } = args
  const handshake = contextHandle ? handshakes.take(contextHandle.state, service, now) : await begin(args, desk)
  if (!handshake) throw new GssError('GSS_S_NO_CONTEXT', 'the handshake is over, or was never begun here')
  const leg = await stepOnce(handshake, inputToken?.length ? inputToken : undefined)
  using context = leg.context
  const result = { ...procedures.INIT_SEC_CONTEXT.result.empty, outputToken: leg.token }
  if (context) return { ...result, status: done, contextHandle: openCtx(context, now) }
  const ctxFlags = flagsToWire(flagsFromWire(args.reqFlags))
  const half = { ...krb5Ctx, locallyInitiated: true, ctxFlags, state: handshakes.keep(handshake, service, now) }
  return { ...result, status: { ...done, majorStatus: CONTINUE_NEEDED }, contextHandle: half }
}

/** ACCEPT_SEC_CONTEXT: an acceptor's only leg. A token is always in the answer, if an empty one: MIT's interposer needs it. */
export async function acceptSecContext(
  args: Args<'ACCEPT_SEC_CONTEXT'>,
  desk: Desk,
): Promise<Result<'ACCEPT_SEC_CONTEXT'>> {
  const { service, now } = desk
  const { credHandle, inputToken, inputCb, retDelegCred } = args
  const { credentials } = await credentialsFor(credHandle, 'accept', desk)
  using held = credentials
  const channelBindings = inputCb && bindingsFromWire(inputCb)
  using handshake = service.mechanism.accept({ credentials: held, channelBindings })
  const { token = new Uint8Array(0), context: established } = await handshake.step(inputToken)
  using context = established
  using delegated = established?.delegated
  if (!context) throw new GssError('GSS_S_FAILURE', 'contexts are accepted in one leg')
  const handed = retDelegCred && delegated ? { credentials: delegated, name: context.initiator } : undefined
  return {
    ...procedures.ACCEPT_SEC_CONTEXT.result.empty,
    status: done,
    contextHandle: openCtx(context, now),
    outputToken: token,
    delegatedCredHandle: handed && handleOf(handed, { impersonated: false }, desk),
  }
}

async function begin(args: Args<'INIT_SEC_CONTEXT'>, desk: Desk): Promise<BoundHandshake> {
  const { service } = desk
  const { credHandle, targetName, mechType, reqFlags, inputCb } = args
  const mechanism = oidFrom(mechType)
  if (mechanism !== undefined && mechanism !== service.mechanism.oid)
    throw new GssError('GSS_S_NO_CRED', 'there are credentials of krb5 alone')
  const target = targetName && nameFromWire(targetName)
  if (!target) throw new GssError('GSS_S_BAD_NAME', 'an initiator needs the name of its target')
  const flags = new Set([...flagsFromWire(reqFlags), ...service.enforceFlags])
  for (const flag of service.filterFlags) if (!service.enforceFlags.includes(flag)) flags.delete(flag)
  const { credentials } = await credentialsFor(credHandle, 'initiate', desk)
  const handshake = service.mechanism.initiate({
    ...{ target, credentials, flags },
    channelBindings: inputCb && bindingsFromWire(inputCb),
  })
  return {
    step: (token) => handshake.step(token),
    [Symbol.dispose]() {
      handshake[Symbol.dispose]()
      credentials[Symbol.dispose]()
    },
  }
}

/** A handshake that is over, well or not, is disposed of. */
async function stepOnce(handshake: BoundHandshake, token: Uint8Array | undefined): Promise<Leg> {
  let waits = false
  try {
    const leg = await handshake.step(token)
    waits = !leg.context
    return leg
  } finally {
    if (!waits) handshake[Symbol.dispose]()
  }
}

/** An open context as clients get it, with its keys: they go on with it. `now` is in seconds. */
export function openCtx(context: EstablishedContext, now: number): Ctx {
  return {
    ...krb5Ctx,
    exportedContextToken: context.export(),
    srcName: nameToWire(context.initiator),
    targName: nameToWire(context.target),
    lifetime: lifetimeTo(context.endtime, now),
    ctxFlags: flagsToWire(context.flags),
    locallyInitiated: context.locallyInitiated,
    open: true,
  }
}
