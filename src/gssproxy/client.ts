/** krb5 by way of a GSS-Proxy daemon: this process has no keys, only what contexts need. @module */
import { ask, type Exchange } from '../effects/index.ts'
import { type CredentialElement, Credentials, type Usage } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import type { Acceptance, BoundMechanism, Handshake, Initiation, Leg, Mechanism } from '../gss/mechanism.ts'
import type { Name } from '../gss/name.ts'
import { mechanismOids } from '../gss/oids.ts'
import type { Cred, Ctx } from './messages.ts'
import { type Args, type ProcedureName, procedures, type Result } from './procedures.ts'
import {
  bindingsToWire,
  CONTINUE_NEEDED,
  errorFrom,
  flagsToWire,
  KRB5,
  nameFromWire,
  nameToWire,
  withNul,
} from './wire.ts'
import { decode, encode, type Xdr, XdrError } from './xdr.ts'

/** What the mechanism asks of the world. */
export interface ProxyQuestions {
  /** To have a procedure carried out; the answer is its results. */
  readonly call: { readonly ask: ProxyCall; readonly answer: Uint8Array }
}

/** A procedure's number and its arguments. */
export interface ProxyCall {
  readonly procedure: number
  readonly args: Uint8Array
}

type ProxyExchange<T> = Exchange<ProxyQuestions, T>

/** Credentials that the daemon has for whoever may use its socket. */
export class ProxyCredential implements CredentialElement {
  readonly mechanism = mechanismOids.krb5
  /** Undefined where the daemon decides. */
  readonly name: Name | undefined
  readonly usage: Usage
  readonly endtime: number | undefined = undefined
  /** What the daemon sealed, for users who handed tickets over; undefined for what it has of its own. */
  readonly handle: Cred | undefined

  constructor(usage: Usage, handle?: Cred) {
    this.usage = usage
    this.handle = handle
    this.name = handle && nameFromWire(handle.desiredName)
  }

  /** Credentials of the daemon alone. */
  static credentials(usage: Usage = 'both'): Credentials {
    return new Credentials([new ProxyCredential(usage)])
  }

  [Symbol.dispose](): void {
    // No key is here.
  }
}

/** What credentials are wanted of a daemon. */
export interface ProxyAcquisition {
  readonly usage?: Usage | undefined
  readonly name?: Name | undefined
  /** Credentials of the daemon's service, by which it gets some in the name of `name` (S4U2Self). */
  readonly impersonator?: Credentials | undefined
}

/** Has the daemon find credentials (RFC 2743 §2.1.1), which are then in its sealed handle. Throws {@link GssError}. */
export function* acquireByProxy({ usage = 'both', name, impersonator }: ProxyAcquisition): ProxyExchange<Credentials> {
  const handle = impersonator && requireProxied(impersonator).handle
  if (impersonator && !handle)
    throw new GssError('GSS_S_NO_CRED', 'credentials to impersonate with have to be acquired first')
  const option = { option: withNul('acquire_type'), value: withNul('impersonate_name') }
  const { status, outputCredHandle } = yield* call('ACQUIRE_CRED', {
    ...procedures.ACQUIRE_CRED.args.empty,
    inputCredHandle: handle,
    desiredName: name && nameToWire(name),
    desiredMechs: [KRB5],
    credUsage: usage,
    options: impersonator ? [option] : [],
  })
  const failure = errorFrom(status)
  if (failure) throw failure
  if (!outputCredHandle) throw new GssError('GSS_S_FAILURE', 'the GSS-Proxy daemon gave no credentials')
  return new Credentials([new ProxyCredential(usage, outputCredHandle)])
}

/** What goes on with contexts in this process: krb5 without keys. */
export type LocalMechanism = Pick<BoundMechanism, 'canonicalize' | 'importContext' | 'aliases'>

/** The krb5 mechanism of a daemon; once a context is open, `local` protects its messages. */
export function gssProxyMechanism(local: LocalMechanism): Mechanism<ProxyQuestions> {
  return {
    oid: mechanismOids.krb5,
    aliases: local.aliases,
    name: 'krb5',
    canonicalize: (name) => local.canonicalize(name),
    initiate: (request) => new InitiatorHandshake(request, local),
    accept: (request) => new AcceptorHandshake(request, local),
    ...(local.importContext && {
      importContext: (token: Uint8Array, delegated?: Credentials) => local.importContext!(token, delegated),
    }),
  }
}

class InitiatorHandshake implements Handshake<ProxyQuestions> {
  readonly #request: Initiation
  readonly #local: LocalMechanism
  /** What the daemon wants back with the acceptor's answer. */
  #half: Ctx | undefined

  constructor(request: Initiation, local: LocalMechanism) {
    this.#request = request
    this.#local = local
  }

  *step(token?: Uint8Array): ProxyExchange<Leg> {
    const { target, flags, channelBindings, credentials } = this.#request
    const { handle } = requireProxied(credentials)
    const { status, contextHandle, outputToken } = yield* call('INIT_SEC_CONTEXT', {
      ...procedures.INIT_SEC_CONTEXT.args.empty,
      contextHandle: this.#half,
      credHandle: handle,
      targetName: nameToWire(target),
      mechType: KRB5,
      reqFlags: flagsToWire(flags),
      inputCb: channelBindings && bindingsToWire(channelBindings),
      inputToken: token,
    })
    const failure = errorFrom(status, outputToken)
    if (failure) throw failure
    const sent = outputToken?.length ? outputToken : undefined
    if (!contextHandle) throw new GssError('GSS_S_FAILURE', 'the GSS-Proxy daemon gave no context')
    if ((status.majorStatus & CONTINUE_NEEDED) === 0n)
      return { token: sent, context: openContext(contextHandle, this.#local) }
    this.#half = contextHandle
    return { token: sent }
  }

  [Symbol.dispose](): void {
    this.#half = undefined
  }
}

class AcceptorHandshake implements Handshake<ProxyQuestions> {
  readonly #request: Acceptance
  readonly #local: LocalMechanism

  constructor(request: Acceptance, local: LocalMechanism) {
    this.#request = request
    this.#local = local
  }

  *step(token?: Uint8Array): ProxyExchange<Leg> {
    const { channelBindings, credentials } = this.#request
    const { handle } = requireProxied(credentials)
    if (!token?.length) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the initiator sent no token, its AP-REQ was due')
    const { status, contextHandle, outputToken, delegatedCredHandle } = yield* call('ACCEPT_SEC_CONTEXT', {
      ...procedures.ACCEPT_SEC_CONTEXT.args.empty,
      credHandle: handle,
      retDelegCred: true,
      inputToken: token,
      inputCb: channelBindings && bindingsToWire(channelBindings),
    })
    const failure = errorFrom(status, outputToken)
    if (failure) throw failure
    if (!contextHandle?.open) throw new GssError('GSS_S_FAILURE', 'the GSS-Proxy daemon gave no open context')
    const delegated = delegatedCredHandle && new Credentials([new ProxyCredential('initiate', delegatedCredHandle)])
    const context = openContext(contextHandle, this.#local, delegated)
    return { token: outputToken?.length ? outputToken : undefined, context }
  }

  [Symbol.dispose](): void {
    // Nothing is kept between steps: there is only one.
  }
}

function requireProxied(credentials: Credentials): ProxyCredential {
  const element = credentials.element(mechanismOids.krb5)
  if (!(element instanceof ProxyCredential))
    throw new GssError(
      'GSS_S_NO_CRED',
      'the credentials are not those of a GSS-Proxy daemon: use ProxyCredential.credentials()',
    )
  return element
}

function openContext({ exportedContextToken }: Ctx, local: LocalMechanism, delegated?: Credentials) {
  if (!local.importContext) throw new GssError('GSS_S_UNAVAILABLE', 'krb5 imports no contexts here')
  return local.importContext(exportedContextToken, delegated)
}

/** Has the daemon carry a procedure out. Throws GssError for results that cannot be read. */
function* call<N extends ProcedureName>(name: N, value: Args<N>): ProxyExchange<Result<N>> {
  const args = procedures[name].args as unknown as Xdr<Args<N>>
  const result = procedures[name].result as unknown as Xdr<Result<N>>
  const octets = yield* ask<ProxyQuestions, 'call'>('call', {
    procedure: procedures[name].number,
    args: encode(args, value),
  })
  try {
    return decode(result, octets, name).value
  } catch (cause) {
    if (!(cause instanceof XdrError)) throw cause
    throw new GssError('GSS_S_FAILURE', `the GSS-Proxy daemon's answer cannot be read: ${cause.message}`, { cause })
  }
}
