/** What can be said of a context at any moment (GSS_Inquire_context, RFC 2743 §2.2.6). @module */
import type { SecurityContext } from './context.ts'
import type { GssFlag } from './flags.ts'
import type { Name } from './name.ts'
import type { Oid } from './oids.ts'

/** A context at one moment. While it is not established, what only the handshake finds out is undefined. */
export interface ContextFacts {
  readonly established: boolean
  readonly locallyInitiated: boolean
  readonly initiatorName: Name | undefined
  readonly targetName: Name | undefined
  readonly mech: Oid | undefined
  /** What is granted; before that, what was asked for. */
  readonly flags: ReadonlySet<GssFlag>
  /** Seconds since the epoch. */
  readonly endtime: number | undefined
}

/** What is known of a context, half-open, failed and disposed of ones included; throws nothing. */
export function inquireContext(context: SecurityContext): ContextFacts {
  const found = context.complete ? context.established : undefined
  return {
    established: found !== undefined,
    locallyInitiated: context.usage === 'initiate',
    initiatorName: found?.initiator,
    targetName: found?.target,
    mech: found?.mechanism,
    flags: found?.flags ?? context.requestedFlags,
    endtime: found?.endtime,
  }
}
