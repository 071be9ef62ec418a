/** The way in by certificate; what it needs is loaded when it is wanted, for X.509 is a large library. @module */
import type { World } from '../effects/index.ts'
import { run } from '../effects/index.ts'
import type { Env } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { type AsResult, asExchange } from '../krb5/exchanges/as.ts'
import type { AsRequest } from '../krb5/exchanges/asrequest.ts'
import type { Armor } from '../krb5/exchanges/fast.ts'
import { anonymousPrincipal, isAnonymous, type Principal, parsePrincipal } from '../krb5/names.ts'
import { preauthBy } from '../krb5/preauth/list.ts'
import type { Preauth } from '../krb5/preauth/mechanism.ts'
import type { KrbQuestions } from '../krb5/questions.ts'
import type { KrbConfig } from '../store/options.ts'
import { FileError } from './files.ts'
import type { LoginOptions } from './loginoptions.ts'

/** How a login proves who it is. */
export type Ways = Pick<AsRequest, 'preauth'>

/**
 * The mechanisms of a login: first the certificate's, if there is one in `options` or in krb5.conf, then those of the
 * password or the keytab, if there is one, as krb5.conf has them. Throws KrbError NAME_REFUSED, KDC_ERR_KDC_NOT_TRUSTED, CmsError and StoreError.
 */
export async function waysOf(config: KrbConfig, options: LoginOptions, world: World<KrbQuestions>): Promise<Ways> {
  const { preauth, certificate, anonymous, password, keytab } = options
  if (anonymous) return { preauth: [await certified(config, options, world)] }
  if (certificate !== undefined) {
    const way = await certified(config, options, world)
    if (preauth) return { preauth: [way, ...preauth] }
    return { preauth: password === undefined && keytab === undefined ? [way] : preauthBy(config, [way]) }
  }
  const configured = config.pkinitIdentities.length > 0 && config.pkinitAnchors.length > 0
  if (!configured || preauth || password !== undefined || keytab !== undefined)
    return { preauth: preauth ?? preauthBy(config) }
  try {
    return { preauth: preauthBy(config, [await certified(config, options, world)]) }
  } catch (error) {
    // the file of another user, or a card that is not there
    if (!(error instanceof FileError) || error.code !== 'ENOENT') throw error
    return { preauth: preauthBy(config) }
  }
}

/** Whether the login has nothing but its certificate, and no password is to be asked for. */
export const isByCertificateAlone = ({ certificate, anonymous, password }: LoginOptions): boolean =>
  anonymous === true || (certificate !== undefined && password === undefined)

async function certified(
  config: KrbConfig,
  { certificate, anchors, anonymous }: Pick<LoginOptions, 'certificate' | 'anchors' | 'anonymous'>,
  world: World<KrbQuestions>,
): Promise<Preauth> {
  const { pkinitPreauth } = await import('./pkinit.ts')
  return pkinitPreauth({
    config: anchors ? { ...config, pkinitAnchors: anchors } : config,
    identity: certificate,
    anonymous,
    password: async (file) => world.prompt({ kind: 'certificatePin', text: `Password of ${file}: ` }),
  })
}

/** Nobody in particular, of the realm that `name` says: `@REALM`, `WELLKNOWN/ANONYMOUS@REALM`, or nothing for the default one. */
export function anonymousClient(name: string, defaultRealm: string): Principal {
  const realm = name === '' ? defaultRealm : name.startsWith('@') ? name.slice(1) : realmOfAnonymous(name, defaultRealm)
  if (!realm)
    throw new KrbError('REALM_UNKNOWN', 'nobody in particular is of a realm too, and there is no default_realm')
  return anonymousPrincipal(realm)
}

function realmOfAnonymous(name: string, realm: string): string {
  const principal = parsePrincipal(name, { realm })
  if (isAnonymous(principal)) return principal.realm
  throw new KrbError('NAME_REFUSED', `${name} is somebody, and cannot log in anonymously`, {
    hint: 'name the realm alone: @REALM',
  })
}

/** Armor that belongs to nobody: a ticket got for it by anonymous PKINIT, the caller's to wipe (RFC 6113 §5.4.1). */
export async function anonymousArmor(
  { env, world }: { readonly env: Env; readonly world: World<KrbQuestions> },
  config: KrbConfig,
  realm: string,
  options: Pick<LoginOptions, 'anchors'>,
): Promise<Armor> {
  const { ticketLifetime: lifetime, followClock } = config
  const client = anonymousPrincipal(realm)
  const preauth = [await certified(config, { ...options, anonymous: true }, world)]
  const asked = { client, lifetime, followClock, preauth }
  const login = await run<KrbQuestions, AsResult>(asExchange(asked, { ...env, enctypes: config.tktEnctypes }), world)
  return { ticket: login.credential, clockOffset: login.clockOffset }
}
