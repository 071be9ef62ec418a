/** The procedures about mechanisms, names and credentials. @module */
import { equal, toHex, utf8 } from '../bytes/index.ts'
import type { Usage } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import { attributeOid } from '../gss/mechanisms.ts'
import type { Name } from '../gss/name.ts'
import { nameTypeOids } from '../gss/oids.ts'
import { type Desk, newId, openReference, type Referred, sealReference, type Wanted } from './handles.ts'
import { type Cred, MechInfo } from './messages.ts'
import { type Args, procedures, type Result } from './procedures.ts'
import type { Acquired, ProxyService } from './service.ts'
import {
  credToWire,
  done,
  KRB5,
  nameFromWire,
  nameToWire,
  oidFrom,
  oidOctets,
  optionOf,
  textFrom,
  withNul,
} from './wire.ts'

/** What gssproxy tells of krb5 (RFC 5587): MIT's library takes this for its own answer. */
const attributes = (
  [
    'concrete',
    'framedTokens',
    'initiatorAuthentication',
    'targetAuthentication',
    'delegation',
    'integrity',
    'confidentiality',
    'mic',
    'wrap',
    'protectionReady',
    'replayDetection',
    'outOfSequenceDetection',
    'channelBindings',
    'contextTransfer',
  ] as const
).map((attribute) => oidOctets(attributeOid(attribute)))

/** What krb5 is, as MIT's own library says it; MIT's interposer dies of any empty list among these. */
const krb5Info = {
  ...MechInfo.empty,
  mech: KRB5,
  nameTypes: [
    nameTypeOids.user,
    nameTypeOids.hostbased,
    nameTypeOids.exported,
    nameTypeOids.krb5Principal,
    nameTypeOids.krb5Enterprise,
  ].map(oidOctets),
  mechAttrs: attributes,
  knownMechAttrs: attributes,
  saslNameSaslMechName: utf8('GS2-KRB5'),
  saslNameMechName: utf8('krb5'),
  saslNameMechDesc: utf8('Kerberos 5 GSS-API Mechanism'),
}

/** INDICATE_MECHS: krb5. SPNEGO is the client's own. */
export function indicateMechs(): Result<'INDICATE_MECHS'> {
  return { ...procedures.INDICATE_MECHS.result.empty, status: done, mechs: [krb5Info] }
}

/** The option that asks for a local user, and that tells of one. */
const LOCAL_NAME = 'localname'

/** IMPORT_AND_CANON_NAME: the name as the mechanism knows it, where one is named; as it came otherwise. */
export function importAndCanonName(
  { inputName, mech, options }: Args<'IMPORT_AND_CANON_NAME'>,
  { service }: Desk,
): Result<'IMPORT_AND_CANON_NAME'> {
  const name = nameFromWire(inputName)
  if (!name) throw new GssError('GSS_S_BAD_NAME', 'there is no name')
  if (optionOf(options, LOCAL_NAME)) return localNameOf(name, service)
  const wanted = oidFrom(mech) === undefined ? name : service.mechanism.canonicalize(name)
  return { ...procedures.IMPORT_AND_CANON_NAME.result.empty, status: done, outputName: nameToWire(wanted) }
}

/** The user of this machine is told in an option, and without NUL, in place of a name. */
function localNameOf(name: Name, service: ProxyService): Result<'IMPORT_AND_CANON_NAME'> {
  const user = service.localName(name)
  if (user === undefined) throw new GssError('GSS_S_UNAVAILABLE', `${name.text} is no local user`)
  const options = [{ option: withNul(LOCAL_NAME), value: utf8(user) }]
  return { ...procedures.IMPORT_AND_CANON_NAME.result.empty, status: done, options }
}

/** ACQUIRE_CRED: the credentials that the client has, while they are good; else some from the service's store. */
export async function acquireCred(args: Args<'ACQUIRE_CRED'>, desk: Desk): Promise<Result<'ACQUIRE_CRED'>> {
  const { inputCredHandle, desiredName, desiredMechs, credUsage, options } = args
  const { service, now } = desk
  if (desiredMechs.length > 0 && !desiredMechs.some((mech) => service.mechanism.oid === oidFrom(mech)))
    throw new GssError('GSS_S_NO_CRED', 'there are credentials of krb5 alone')
  const type = inputCredHandle && optionOf(options, 'acquire_type')
  const name = desiredName && nameFromWire(desiredName)
  if (type) return impersonated(textFrom(type), inputCredHandle, name, desk)
  const wanted: Wanted = { usage: usageOf(credUsage), name }
  if (inputCredHandle && isGoodAlone(inputCredHandle, wanted, desk))
    return { ...procedures.ACQUIRE_CRED.result.empty, status: done, outputCredHandle: inputCredHandle }
  const { credentials, name: shown } = await acquire(wanted, desk)
  using held = credentials
  const echo = inputCredHandle && isGood(inputCredHandle, wanted, held.endtime, desk)
  const reference = echo ? inputCredHandle.credHandleReference : sealReference(wanted, desk)
  const output = echo
    ? inputCredHandle
    : credToWire({ usage: wanted.usage, endtime: held.endtime }, shown, reference, now)
  return { ...procedures.ACQUIRE_CRED.result.empty, status: done, outputCredHandle: output }
}

/** Credentials for a purpose, and the handle's tickets that they were unpacked from, if they were. Disposing wipes both. */
export interface Held extends Acquired, Disposable {
  readonly referred?: Referred
  /** Packed, with all that was bought with the handle before. */
  readonly tickets?: Uint8Array
}

/** Credentials for a purpose: those a handle refers to, or the service's own. */
export async function credentialsFor(cred: Cred | undefined, usage: 'initiate' | 'accept', desk: Desk): Promise<Held> {
  const { service } = desk
  const referred = cred && openReference(cred, desk)
  if (referred && referred.usage !== 'both' && referred.usage !== usage)
    throw new GssError('GSS_S_NO_CRED', `these credentials are to ${referred.usage}, not to ${usage}`)
  if (referred?.impersonated && !service.constrainedDelegation)
    throw new GssError(
      'GSS_S_UNAUTHORIZED',
      `${service.name} may not initiate in the names of others: set allow_constrained_delegation`,
    )
  if (!referred?.tickets) {
    // who acts on for those that come needs tickets of its own as well
    const actsOn = usage === 'accept' && referred?.usage === 'both' && service.constrainedDelegation
    const own = await acquire({ usage: actsOn ? 'both' : usage, name: referred?.name }, desk)
    return { ...own, [Symbol.dispose]: () => own.credentials[Symbol.dispose]() }
  }
  const tickets = desk.bought.of(toHex(referred.id!), desk.now) ?? referred.tickets
  const { credentials, name } = service.unpack(tickets)
  return {
    ...{ credentials, name, referred, tickets },
    [Symbol.dispose]() {
      credentials[Symbol.dispose]()
      tickets.fill(0)
      referred.tickets?.fill(0)
    },
  }
}

/**
 * Keeps what was bought with the tickets of a handle, for the next time it comes; gives the handle with these tickets in
 * it, where the client may have it; undefined when nothing was bought.
 */
export function keepBought({ credentials, name, referred, tickets }: Held, desk: Desk): Cred | undefined {
  if (!tickets || !referred?.id) return undefined
  const octets = desk.service.pack(credentials)
  if (equal(octets, tickets)) {
    octets.fill(0)
    return undefined
  }
  desk.bought.keep(toHex(referred.id), octets, credentials.endtime ?? 0)
  const { impersonated = false, id } = referred
  return desk.service.clientSync ? handleOf({ credentials, name }, { impersonated, id }, desk) : undefined
}

/** A handle of tickets that are in no store: sealed, so that whoever holds it cannot see what it holds. */
export function handleOf(
  { credentials, name }: Acquired,
  { impersonated, id }: { readonly impersonated: boolean; readonly id?: Uint8Array | undefined },
  desk: Desk,
): Cred {
  const tickets = desk.service.pack(credentials)
  try {
    const usage = 'initiate'
    const reference = sealReference({ usage, name, impersonated, tickets, id: id ?? newId(desk) }, desk)
    return credToWire({ usage, endtime: credentials.endtime }, name, reference, desk.now)
  } finally {
    tickets.fill(0)
  }
}

/** ACQUIRE_CRED in a user's name (S4U2Self), by the credentials of the service that a handle refers to. */
async function impersonated(
  type: string,
  impersonator: Cred,
  user: Name | undefined,
  desk: Desk,
): Promise<Result<'ACQUIRE_CRED'>> {
  const { service } = desk
  if (type !== 'impersonate_name') throw new GssError('GSS_S_FAILURE', `there is no way ${type} to acquire credentials`)
  if (!service.protocolTransition)
    throw new GssError(
      'GSS_S_UNAUTHORIZED',
      `${service.name} may not have credentials in the names of others: set allow_protocol_transition`,
    )
  if (!user) throw new GssError('GSS_S_BAD_NAME', 'nobody is named in whose name credentials are wanted')
  const known = openReference(impersonator, desk)
  if (!known || known.tickets || known.usage === 'accept')
    throw new GssError('GSS_S_NO_CRED', 'the handle is none of credentials that the service initiates with')
  const acquired = await service.impersonate(user, known.usage === 'both' ? undefined : known.name)
  using _held = acquired.credentials
  const outputCredHandle = handleOf(acquired, { impersonated: true }, desk)
  return { ...procedures.ACQUIRE_CRED.result.empty, status: done, outputCredHandle }
}

/** Whether a handle holds tickets that are what the client wants, and live long enough. */
function isGoodAlone(cred: Cred, { usage, name }: Wanted, desk: Desk): boolean {
  const known = openReference(cred, desk)
  if (!known?.tickets) return false
  try {
    const { credentials } = desk.service.unpack(known.tickets)
    using held = credentials
    const isWanted = usage === 'initiate' && (!name || known.name?.equals(name) === true)
    return isWanted && (held.endtime ?? 0) - desk.now >= desk.service.minLifetime
  } finally {
    known.tickets.fill(0)
  }
}

async function acquire({ usage, name }: Wanted, { service }: Desk): Promise<Acquired> {
  if (service.usage !== 'both' && service.usage !== usage)
    throw new GssError('GSS_S_NO_CRED', `the service ${service.name} may ${service.usage}, not ${usage}`)
  return service.acquire(usage, name)
}

function usageOf(usage: Args<'ACQUIRE_CRED'>['credUsage']): Usage {
  if (usage === 'none') throw new GssError('GSS_S_FAILURE', 'credentials are for initiating, accepting or both')
  return usage
}

/** Whether the client's credentials are what it wants and live long enough; anything that does not open is as good as none. */
function isGood(cred: Cred, wanted: Wanted, endtime: number | undefined, desk: Desk): boolean {
  const known = openReference(cred, desk)
  if (!known || known.usage !== wanted.usage) return false
  const sameName = known.name && wanted.name ? known.name.equals(wanted.name) : known.name === wanted.name
  return sameName && (endtime ?? Number.POSITIVE_INFINITY) - desk.now >= desk.service.minLifetime
}
