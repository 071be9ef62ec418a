/** krb5 by way of a GSS-Proxy daemon: this process has no keys, only what contexts need. @module */
import { ask, type Exchange } from '../effects/index.ts'
import { type CredentialElement, Credentials, type Usage } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import type { Acceptance, BoundMechanism, Handshake, Initiation, Leg, Mechanism } from '../gss/mechanism.ts'
import type { Name } from '../gss/name.ts'
import { mechanismOids } from '../gss/oids.ts'
import type { Ctx } from './messages.ts'
import { type Args, type ProcedureName, procedures, type Result } from './procedures.ts'
import { bindingsToWire, CONTINUE_NEEDED, errorFrom, flagsToWire, KRB5, nameToWire } from './wire.ts'
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
  /** The daemon decides. */
  readonly name: Name | undefined = undefined
  readonly usage: Usage
  readonly endtime: number | undefined = undefined

  constructor(usage: Usage) {
    this.usage = usage
  }

  /** Credentials of the daemon alone. */
  static credentials(usage: Usage = 'both'): Credentials {
    return new Credentials([new ProxyCredential(usage)])
  }

  [Symbol.dispose](): void {
    // No key is here.
  }
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
    ...(local.importContext && { importContext: (token: Uint8Array) => local.importContext!(token) }),
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
    requireProxied(credentials)
    const { status, contextHandle, outputToken } = yield* call('INIT_SEC_CONTEXT', {
      ...procedures.INIT_SEC_CONTEXT.args.empty,
      contextHandle: this.#half,
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
    requireProxied(credentials)
    if (!token?.length) throw new GssError('GSS_S_DEFECTIVE_TOKEN', 'the initiator sent no token, its AP-REQ was due')
    const { status, contextHandle, outputToken } = yield* call('ACCEPT_SEC_CONTEXT', {
      ...procedures.ACCEPT_SEC_CONTEXT.args.empty,
      inputToken: token,
      inputCb: channelBindings && bindingsToWire(channelBindings),
    })
    const failure = errorFrom(status, outputToken)
    if (failure) throw failure
    if (!contextHandle?.open) throw new GssError('GSS_S_FAILURE', 'the GSS-Proxy daemon gave no open context')
    return { token: outputToken?.length ? outputToken : undefined, context: openContext(contextHandle, this.#local) }
  }

  [Symbol.dispose](): void {
    // Nothing is kept between steps: there is only one.
  }
}

function requireProxied(credentials: Credentials): void {
  if (!(credentials.element(mechanismOids.krb5) instanceof ProxyCredential))
    throw new GssError(
      'GSS_S_NO_CRED',
      'the credentials are not those of a GSS-Proxy daemon: use ProxyCredential.credentials()',
    )
}

function openContext({ exportedContextToken }: Ctx, local: LocalMechanism) {
  if (!local.importContext) throw new GssError('GSS_S_UNAVAILABLE', 'krb5 imports no contexts here')
  return local.importContext(exportedContextToken)
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
