/** The procedures that establish contexts. @module */
import { GssError } from '../gss/error.ts'
import type { BoundHandshake, EstablishedContext, Leg } from '../gss/mechanism.ts'
import { credentialsFor, handleOf, keepBought } from './credentials.ts'
import type { Desk } from './handles.ts'
import { Cred, type Ctx, type Option } from './messages.ts'
import { type Args, procedures, type Result } from './procedures.ts'
import type { UnixUser } from './service.ts'
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
  optionOf,
  textFrom,
  withNul,
} from './wire.ts'
import { encode } from './xdr.ts'

/** INIT_SEC_CONTEXT: the next leg of an initiator. What waits for the acceptor's answer stays here. */
export async function initSecContext(args: Args<'INIT_SEC_CONTEXT'>, desk: Desk): Promise<Result<'INIT_SEC_CONTEXT'>> {
  const { now, handshakes } = desk
  const { contextHandle, inputToken } = args
  const begun = contextHandle ? undefined : await begin(args, desk)
  const handshake = contextHandle ? handshakes.take(contextHandle.state, now) : begun?.handshake
  if (!handshake) throw new GssError('GSS_S_NO_CONTEXT', 'the handshake is over, or was never begun here')
  const leg = await stepOnce(handshake, inputToken?.length ? inputToken : undefined)
  using context = leg.context
  const options = syncOptions(args, begun?.renewed())
  const result = { ...procedures.INIT_SEC_CONTEXT.result.empty, outputToken: leg.token, options }
  if (context) return { ...result, status: done, contextHandle: openCtx(context, now) }
  const ctxFlags = flagsToWire(flagsFromWire(args.reqFlags))
  const half = { ...krb5Ctx, locallyInitiated: true, ctxFlags, state: handshakes.keep(handshake, now) }
  return { ...result, status: { ...done, majorStatus: CONTINUE_NEEDED }, contextHandle: half }
}

/** ACCEPT_SEC_CONTEXT: an acceptor's only leg. A token is always in the answer, if an empty one: MIT's interposer needs it. */
export async function acceptSecContext(
  args: Args<'ACCEPT_SEC_CONTEXT'>,
  desk: Desk,
): Promise<Result<'ACCEPT_SEC_CONTEXT'>> {
  const { service, now } = desk
  const { callCtx, credHandle, inputToken, inputCb, retDelegCred } = args
  const { isLucid, tellsUser } = formsOf(callCtx.options)
  using held = await credentialsFor(credHandle, 'accept', desk)
  const channelBindings = inputCb && bindingsFromWire(inputCb)
  using handshake = service.mechanism.accept({ credentials: held.credentials, channelBindings })
  const { token = new Uint8Array(0), context: established } = await handshake.step(inputToken)
  using context = established
  using delegated = established?.delegated
  if (!context) throw new GssError('GSS_S_FAILURE', 'contexts are accepted in one leg')
  const handed = retDelegCred && delegated ? { credentials: delegated, name: context.initiator } : undefined
  return {
    ...procedures.ACCEPT_SEC_CONTEXT.result.empty,
    status: done,
    contextHandle: openCtx(context, now, isLucid ? service.lucid(context) : context.export()),
    outputToken: token,
    options: tellsUser
      ? [{ option: withNul(LINUX_CREDS), value: formatUser(service.unixUser(context.initiator)) }]
      : [],
    delegatedCredHandle: handed && handleOf(handed, { impersonated: held.credentials.usage === 'both' }, desk),
  }
}

/** The forms that Linux's kernel asks for: of the context, and of who the initiator is on this machine. */
const LINUX_LUCID = 'linux_lucid_v1'
const LINUX_CREDS = 'linux_creds_v1'

/** Which forms are asked for. Throws GssError for one that is not known. */
function formsOf(options: readonly Option[]) {
  const isAsked = (name: string, known: string) => {
    const value = optionOf(options, name)
    if (value && textFrom(value) !== known)
      throw new GssError('GSS_S_FAILURE', `${textFrom(value)} is no ${name} here, ${known} is`)
    return value !== undefined
  }
  return {
    isLucid: isAsked('exported_context_type', LINUX_LUCID),
    tellsUser: isAsked('exported_creds_type', LINUX_CREDS),
  }
}

/** What stands for a user, and a group, that there is not. */
const NOBODY = 0xffff_ffff

/** `linux_creds_v1`: uid, gid, and the groups after their number, in this machine's byte order. */
function formatUser({ uid, gid, groups }: UnixUser = { uid: NOBODY, gid: NOBODY, groups: [] }): Uint8Array {
  return new Uint8Array(Uint32Array.of(uid, gid, groups.length, ...groups).buffer)
}

/** A handshake that was just begun. */
interface Begun {
  readonly handshake: BoundHandshake
  /** The client's handle anew, with the tickets that were bought in the first leg; undefined when it is as good as it was. */
  renewed(): Cred | undefined
}

async function begin(args: Args<'INIT_SEC_CONTEXT'>, desk: Desk): Promise<Begun> {
  const { service } = desk
  const { credHandle, targetName, mechType, reqFlags, inputCb } = args
  const mechanism = oidFrom(mechType)
  if (mechanism !== undefined && mechanism !== service.mechanism.oid)
    throw new GssError('GSS_S_NO_CRED', 'there are credentials of krb5 alone')
  const target = targetName && nameFromWire(targetName)
  if (!target) throw new GssError('GSS_S_BAD_NAME', 'an initiator needs the name of its target')
  const flags = new Set([...flagsFromWire(reqFlags), ...service.enforceFlags])
  for (const flag of service.filterFlags) if (!service.enforceFlags.includes(flag)) flags.delete(flag)
  const held = await credentialsFor(credHandle, 'initiate', desk)
  const handshake = service.mechanism.initiate({
    ...{ target, credentials: held.credentials, flags },
    channelBindings: inputCb && bindingsFromWire(inputCb),
  })
  let renewed: Cred | undefined
  return {
    renewed: () => renewed,
    handshake: {
      async step(token) {
        const leg = await handshake.step(token)
        renewed = keepBought(held, desk)
        return leg
      },
      [Symbol.dispose]() {
        handshake[Symbol.dispose]()
        held[Symbol.dispose]()
      },
    },
  }
}

/** What MIT's interposer asks with, and what it is told: its credentials as they are now, which it keeps in their place. */
const [SYNC_ASKED, SYNC_TOLD] = ['sync_modified_creds', 'sync_creds'] as const

function syncOptions({ options }: Args<'INIT_SEC_CONTEXT'>, renewed: Cred | undefined): readonly Option[] {
  const asked = renewed && optionOf(options, SYNC_ASKED)
  return asked && textFrom(asked) === 'default' ? [{ option: withNul(SYNC_TOLD), value: encode(Cred, renewed) }] : []
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

/** An open context as clients get it, with its keys: they go on with it. `now` is in seconds; `exported` is MIT's form unless said. */
export function openCtx(context: EstablishedContext, now: number, exported = context.export()): Ctx {
  return {
    ...krb5Ctx,
    exportedContextToken: exported,
    srcName: nameToWire(context.initiator),
    targName: nameToWire(context.target),
    lifetime: lifetimeTo(context.endtime, now),
    ctxFlags: flagsToWire(context.flags),
    locallyInitiated: context.locallyInitiated,
    open: true,
  }
}
