/** A GSS-Proxy daemon as a function from octets to octets: the other side of MIT's interposer. @module */
import { BoundsError } from '../bytes/cursor.ts'
import { GssError } from '../gss/error.ts'
import { BoughtTickets } from './bought.ts'
import { acquireCred, importAndCanonName, indicateMechs } from './credentials.ts'
import { acceptSecContext, initSecContext } from './establish.ts'
import { type Desk, Handshakes } from './handles.ts'
import { type Args, type ProcedureName, procedureOf, procedures, type Result } from './procedures.ts'
import { protections } from './protect.ts'
import { formatReply, parseCall, type RpcRefusal } from './rpc.ts'
import type { ProxyService, Vault } from './service.ts'
import { done, failureStatus } from './wire.ts'
import { decode, encode, type Xdr, XdrError } from './xdr.ts'

/** What a server takes from outside itself. */
export interface ProxyOptions {
  readonly vault: Vault
  /** Microseconds since the epoch. */
  readonly now: () => number
  readonly random: (size: number) => Uint8Array
  /** Told of what nobody foresaw; the client learns only that it happened. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** Told of every call of a procedure, as it ends. */
  readonly onCall?: ((call: CallReport) => void) | undefined
}

/** A call that was answered. */
export interface CallReport {
  readonly service: string
  readonly procedure: ProcedureName
  /** What came of it, in words that hold no key: `GSS_S_COMPLETE`, or why not. */
  readonly outcome: string
}

type Procedure<N extends ProcedureName> = (args: Args<N>, desk: Desk) => Result<N> | Promise<Result<N>>

/** Each procedure; those that gssproxy only pretends to have give zeros here, too. */
const handlers: { readonly [N in ProcedureName]: Procedure<N> } = {
  INDICATE_MECHS: indicateMechs,
  GET_CALL_CONTEXT: () => procedures.GET_CALL_CONTEXT.result.empty,
  IMPORT_AND_CANON_NAME: importAndCanonName,
  EXPORT_CRED: () => procedures.EXPORT_CRED.result.empty,
  IMPORT_CRED: () => procedures.IMPORT_CRED.result.empty,
  ACQUIRE_CRED: acquireCred,
  STORE_CRED: () => procedures.STORE_CRED.result.empty,
  INIT_SEC_CONTEXT: initSecContext,
  ACCEPT_SEC_CONTEXT: acceptSecContext,
  // no handle of ours needs it, and an error would come up in the client
  RELEASE_HANDLE: () => ({ status: done }),
  ...protections,
}

/** A server of GSS-Proxy. */
export interface GssProxyServer {
  /**
   * Answers one message of a client that may use `service`; undefined for what is no call at all, whose sender is to be
   * hung up on. It does not reject.
   */
  respond(message: Uint8Array, service: ProxyService): Promise<Uint8Array | undefined>
}

/** Makes a server. */
export function gssProxyServer({ vault, now, random, onError, onCall }: ProxyOptions): GssProxyServer {
  /** What waits for one service's clients is in nobody else's way. */
  const waiting = new WeakMap<ProxyService, Pick<Desk, 'handshakes' | 'bought'>>()
  const waitingOf = (service: ProxyService) => {
    const known = waiting.get(service)
    if (known) return known
    const made = { handshakes: new Handshakes(service, vault, random), bought: new BoughtTickets() }
    waiting.set(service, made)
    return made
  }
  return {
    async respond(message, service) {
      try {
        const call = parseCall(message)
        if ('refusal' in call) return formatReply(call.xid, call.refusal)
        const name = procedureOf(call.procedure)
        if (!name) return formatReply(call.xid, 'PROC_UNAVAIL')
        const desk = { ...waitingOf(service), service, vault, random, now: Math.floor(now() / 1e6) }
        const told = (outcome: string) => onCall?.({ service: service.name, procedure: name, outcome })
        return formatReply(call.xid, await carryOut(name, call.args, desk, { onError, told }))
      } catch (error) {
        if (!(error instanceof XdrError || error instanceof BoundsError)) onError?.(error)
        return undefined
      }
    },
  }
}

async function carryOut<N extends ProcedureName>(
  name: N,
  octets: Uint8Array,
  desk: Desk,
  { onError, told }: Pick<ProxyOptions, 'onError'> & { readonly told: (outcome: string) => void },
): Promise<Uint8Array | RpcRefusal> {
  const args: Xdr<Args<N>> = procedures[name].args as unknown as Xdr<Args<N>>
  const result = procedures[name].result as unknown as Xdr<Result<N>>
  let value: Args<N>
  try {
    value = decode(args, octets, name).value
  } catch (error) {
    if (!(error instanceof XdrError)) throw error
    told('GARBAGE_ARGS')
    return 'GARBAGE_ARGS'
  }
  try {
    const answer = encode(result, await handlers[name](value, desk))
    told('GSS_S_COMPLETE')
    return answer
  } catch (cause) {
    // the call was well formed; a name or an identifier in it is not
    const error = cause instanceof XdrError ? new GssError('GSS_S_FAILURE', cause.message, { cause }) : cause
    told(error instanceof GssError ? error.message : 'SYSTEM_ERR')
    if (!(error instanceof GssError)) {
      onError?.(error)
      return 'SYSTEM_ERR'
    }
    const status = failureStatus(error, desk.service.minorOf(error.minor))
    return encode(result, { ...result.empty, status })
  }
}
