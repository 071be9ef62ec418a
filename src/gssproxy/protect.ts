/** The procedures that protect messages. The context comes with each call and goes back with the answer, as it is then. @module */
import { GssError } from '../gss/error.ts'
import type { EstablishedContext } from '../gss/mechanism.ts'
import { requireDefaultQop } from '../gss/qop.ts'
import { openCtx } from './establish.ts'
import type { Desk } from './handles.ts'
import type { Ctx } from './messages.ts'
import type { Args, Result } from './procedures.ts'
import { done } from './wire.ts'

/** Only the first of several buffers counts, as with gssproxy. */
const first = (buffers: readonly Uint8Array[]): Uint8Array => buffers[0] ?? new Uint8Array(0)

/** GET_MIC, VERIFY, WRAP, UNWRAP and WRAP_SIZE_LIMIT. */
export const protections = {
  GET_MIC({ contextHandle, messageBuffer, qopReq }: Args<'GET_MIC'>, desk: Desk): Result<'GET_MIC'> {
    requireDefaultQop(qopReq)
    using context = contextOf(contextHandle, desk)
    const tokenBuffer = context.sign(messageBuffer)
    return { status: done, contextHandle: openCtx(context, desk.now), tokenBuffer, qopState: 0n }
  },

  VERIFY({ contextHandle, messageBuffer, tokenBuffer }: Args<'VERIFY'>, desk: Desk): Result<'VERIFY'> {
    using context = contextOf(contextHandle, desk)
    const supplementary = context.verify(messageBuffer, tokenBuffer)
    if (supplementary) throw new GssError(supplementary)
    return { status: done, contextHandle: openCtx(context, desk.now), qopState: 0n }
  },

  WRAP({ contextHandle, confReq, messageBuffer, qopState }: Args<'WRAP'>, desk: Desk): Result<'WRAP'> {
    requireDefaultQop(qopState)
    using context = contextOf(contextHandle, desk)
    const { message, encrypted } = context.wrap(first(messageBuffer), confReq)
    return {
      ...{ status: done, contextHandle: openCtx(context, desk.now), tokenBuffer: [message] },
      ...{ confState: encrypted, qopState: 0n },
    }
  },

  UNWRAP({ contextHandle, tokenBuffer }: Args<'UNWRAP'>, desk: Desk): Result<'UNWRAP'> {
    using context = contextOf(contextHandle, desk)
    const { message, encrypted, supplementary } = context.unwrap(first(tokenBuffer))
    if (supplementary) throw new GssError(supplementary)
    return {
      ...{ status: done, contextHandle: openCtx(context, desk.now), messageBuffer: [message] },
      ...{ confState: encrypted, qopState: 0n },
    }
  },

  WRAP_SIZE_LIMIT(args: Args<'WRAP_SIZE_LIMIT'>, desk: Desk): Result<'WRAP_SIZE_LIMIT'> {
    requireDefaultQop(args.qopState)
    using context = contextOf(args.contextHandle, desk)
    return { status: done, maxInputSize: BigInt(context.wrapSizeLimit(Number(args.reqOutputSize), args.confReq)) }
  },
}

function contextOf({ exportedContextToken }: Ctx, { service }: Desk): EstablishedContext {
  const { mechanism } = service
  if (!mechanism.importContext) throw new GssError('GSS_S_UNAVAILABLE', `${mechanism.name} imports no contexts`)
  return mechanism.importContext(exportedContextToken)
}
