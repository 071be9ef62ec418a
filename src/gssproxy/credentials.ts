/** The procedures about mechanisms, names and credentials. @module */
import { utf8 } from '../bytes/index.ts'
import type { Usage } from '../gss/credentials.ts'
import { GssError } from '../gss/error.ts'
import { nameTypeOids } from '../gss/oids.ts'
import { type Desk, openReference, sealReference, type Wanted } from './handles.ts'
import { type Cred, MechInfo } from './messages.ts'
import { type Args, procedures, type Result } from './procedures.ts'
import type { Acquired } from './service.ts'
import { credToWire, done, KRB5, nameFromWire, nameToWire, oidFrom, oidOctets, optionOf, textFrom } from './wire.ts'

/** Attributes of RFC 5587 (1.3.6.1.5.5.13.n) that gssproxy tells of krb5. */
const attributes = [1, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 24, 27].map((n) => oidOctets(`1.3.6.1.5.5.13.${n}`))

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

/** IMPORT_AND_CANON_NAME: the name as the mechanism knows it, where one is named; as it came otherwise. */
export function importAndCanonName(
  { inputName, mech, options }: Args<'IMPORT_AND_CANON_NAME'>,
  { service }: Desk,
): Result<'IMPORT_AND_CANON_NAME'> {
  const name = nameFromWire(inputName)
  if (!name) throw new GssError('GSS_S_BAD_NAME', 'there is no name')
  if (optionOf(options, 'localname')) throw new GssError('GSS_S_UNAVAILABLE', `${name.text} is no local user`)
  const wanted = oidFrom(mech) === undefined ? name : service.mechanism.canonicalize(name)
  return { ...procedures.IMPORT_AND_CANON_NAME.result.empty, status: done, outputName: nameToWire(wanted) }
}

/** ACQUIRE_CRED: the credentials that the client has, while they are good; else some from the service's store. */
export async function acquireCred(args: Args<'ACQUIRE_CRED'>, desk: Desk): Promise<Result<'ACQUIRE_CRED'>> {
  const { inputCredHandle, desiredName, desiredMechs, credUsage, options } = args
  const { service, vault, now } = desk
  if (desiredMechs.length > 0 && !desiredMechs.some((mech) => service.mechanism.oid === oidFrom(mech)))
    throw new GssError('GSS_S_NO_CRED', 'there are credentials of krb5 alone')
  const type = inputCredHandle && optionOf(options, 'acquire_type')
  if (type) throw new GssError('GSS_S_UNAUTHORIZED', `${service.name} may not acquire credentials by ${textFrom(type)}`)
  const name = desiredName && nameFromWire(desiredName)
  const wanted: Wanted = { usage: usageOf(credUsage), name }
  const { credentials, name: shown } = await acquire(wanted, desk)
  using held = credentials
  const echo = inputCredHandle && isGood(inputCredHandle, wanted, held.endtime, desk)
  const reference = echo ? inputCredHandle.credHandleReference : sealReference(wanted, service, vault)
  const output = echo
    ? inputCredHandle
    : credToWire({ usage: wanted.usage, endtime: held.endtime }, shown, reference, now)
  return { ...procedures.ACQUIRE_CRED.result.empty, status: done, outputCredHandle: output }
}

/** Credentials for a purpose: those a handle refers to, or the service's own. They are the caller's to dispose of. */
export async function credentialsFor(
  cred: Cred | undefined,
  usage: 'initiate' | 'accept',
  desk: Desk,
): Promise<Acquired> {
  const { service, vault } = desk
  const known = cred && openReference(cred, service, vault)
  if (known && known.usage !== 'both' && known.usage !== usage)
    throw new GssError('GSS_S_NO_CRED', `these credentials are to ${known.usage}, not to ${usage}`)
  return acquire({ usage, name: known?.name }, desk)
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
function isGood(cred: Cred, wanted: Wanted, endtime: number | undefined, { service, vault, now }: Desk): boolean {
  const known = openReference(cred, service, vault)
  if (!known || known.usage !== wanted.usage) return false
  const sameName = known.name && wanted.name ? known.name.equals(wanted.name) : known.name === wanted.name
  return sameName && (endtime ?? Number.POSITIVE_INFINITY) - now >= service.minLifetime
}
