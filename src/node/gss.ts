/** GSS-API as python-gssapi has it: with the mechanisms, credentials and files that C programs on this machine use. @module */
import { SecurityContext as ContractContext } from '../gss/context.ts'
import type { AcceptorOptions, ImportOptions, InitiatorOptions } from '../gss/contextoptions.ts'
import { Credentials as ContractCredentials } from '../gss/credentials.ts'
import type { Name } from '../gss/name.ts'
import { MemoryReplayCache } from '../krb5/replay.ts'
import { localName as localNameOf } from '../store/localname.ts'
import type { AcquireOptions } from './acquire.ts'
import { environment, loadConfig } from './environment.ts'
import { isAuthorized } from './k5login.ts'
import { Kerberos } from './kerberos.ts'
import { defaultReplayCache } from './replay/named.ts'

export type { AttributeValue, InitiatorAttributes, NameAttribute } from '../gss/attributes.ts'
export { tlsExporter, tlsExporterLabel, tlsExporterSize, tlsServerEndPoint, tlsUnique } from '../gss/channelbindings.ts'
export type { CredentialElement, Usage } from '../gss/credentials.ts'
export { GssError, type GssErrorDetails, type MajorCode, majorCodes, type SupplementaryCode } from '../gss/error.ts'
export { defaultFlags, flagBits, flagMask, flagsOf, type GssFlag } from '../gss/flags.ts'
export { type ContextFacts, inquireContext } from '../gss/inquire.ts'
export type { IovBuffer, IovResult, IovType } from '../gss/iov.ts'
export {
  type Acceptance,
  type BoundHandshake,
  type BoundMechanism,
  bind,
  type ChannelBindings,
  type EstablishedContext,
  type HalfOpen,
  type Handshake,
  type Initiation,
  type Leg,
  type Mechanism,
  type PrfKey,
  type SessionKey,
  type UnwrapResult,
  type WrapResult,
} from '../gss/mechanism.ts'
export {
  type AttributeQuery,
  attributeNumbers,
  attributeOid,
  type MechanismAttribute,
  type MechanismFacts,
  mechanismOfSaslName,
  mechanisms,
  mechanismsWith,
  saslNameOf,
} from '../gss/mechanisms.ts'
export { Name, type NameAuthority } from '../gss/name.ts'
export { mechanismOids, nameTypeOids, type Oid } from '../gss/oids.ts'
export type { AcceptorOptions, ImportOptions, InitiatorOptions }

/**
 * What this process accepted. A token replayed to another context of the process must be noticed whoever made that
 * context, so default contexts share one memory.
 */
const accepted = new MemoryReplayCache()

/** Kerberos as the environment has it at this moment. */
export function defaultKerberos(): Kerberos {
  const here = environment()
  const config = loadConfig(here.configPaths)
  return new Kerberos({ environment: here, config, replayCache: defaultReplayCache(here, config) ?? accepted })
}

/** Who to be, or whom to accept as (RFC 2743 §2.1.1). */
export class Credentials extends ContractCredentials {
  /** Out of the ccache and the keytab that the environment names, or those of `store`. Throws KrbError, StoreError and GssError. */
  static acquire(options: AcquireOptions = {}): Promise<ContractCredentials> {
    return defaultKerberos().acquire(options)
  }

  /** Credentials that this library or a C program exported. Throws GssError, KrbError and StoreError. */
  static import(token: Uint8Array): Promise<ContractCredentials> {
    return defaultKerberos().importCredentials(token)
  }
}

/**
 * The user of this machine that a name stands for, as krb5.conf's auth_to_local has it (MIT's gss_localname); undefined
 * for none. Throws ConfigError and {@link GssError}.
 */
export function localName(name: Name, kerberos: Pick<Kerberos, 'config' | 'principalOf'> = defaultKerberos()) {
  return localNameOf(kerberos.config, kerberos.principalOf(name))
}

/**
 * Whether who has this name may act as `user` of this machine (MIT's gss_userok): whom the user's k5login file lists, or,
 * where there is none, whose {@link localName} it is. Throws ConfigError and {@link GssError}.
 */
export function authorizedFor(
  name: Name,
  user: string,
  kerberos: Pick<Kerberos, 'config' | 'principalOf'> = defaultKerberos(),
): boolean {
  return isAuthorized(kerberos.config, kerberos.principalOf(name), user)
}

/** A context's options; credentials and mechanism (krb5) are this machine's defaults where they are left out. */
export type ContextOptions = Defaulted<InitiatorOptions> | Defaulted<AcceptorOptions>
type Defaulted<T extends { readonly creds: unknown; readonly mech: unknown }> = Omit<T, 'creds' | 'mech'> &
  Partial<Pick<T, 'creds' | 'mech'>>

/** One side of a security context (RFC 2743 §1.1.3): `step` until `complete`, then `wrap`, `unwrap`, `sign`, `verify`. */
export class SecurityContext extends ContractContext {
  constructor(options: ContextOptions) {
    const kerberos = defaultKerberos()
    const { creds = () => kerberos.acquire({ usage: options.usage }), mech = kerberos.krb5 } = options
    super({ ...options, creds, mech })
  }

  /** Goes on with a context that was exported by this library or by C; of krb5 unless said. Throws {@link GssError}. */
  static override import(
    token: Uint8Array,
    { mech = defaultKerberos().krb5, ...options }: Partial<ImportOptions> = {},
  ) {
    return ContractContext.import(token, { ...options, mech })
  }
}
