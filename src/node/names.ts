/** Names of credential caches and keytabs, as `TYPE:rest`. @module */
import { KrbError } from '../krb5/errors.ts'
import { expandParameters } from './environment.ts'

/** What is behind a store's name. */
export interface StoreName {
  /** `FILE` where the name says none. */
  readonly type: string
  /** The name without its type, `%{…}` filled in. */
  readonly rest: string
}

/** Parts a name into its type and the rest; one letter before a colon is a drive. */
export function parseStoreName(name: string): StoreName {
  const [, type = 'FILE', rest = name] = /^([A-Za-z][A-Za-z0-9]+):(.*)$/s.exec(name) ?? []
  return { type, rest: expandParameters(rest) }
}

const outside = 'is not reachable from JavaScript alone'
const caches = 'use FILE:path, DIR:path, KCM: or MEMORY:name in KRB5CCNAME, or default_ccache_name in krb5.conf'
const keytabs = 'use FILE:path or MEMORY:name in KRB5_KTNAME, or default_keytab_name in krb5.conf'

type Refusals = Readonly<Record<string, readonly [where: string, wayOut: string]>>

/** Types that others have, where they keep what is in them, and the way out. */
const ccacheTypes: Refusals = {
  KEYRING: [`keeps tickets in the kernel's key rings, which ${outside}`, caches],
  API: [`keeps tickets behind the CCAPI of macOS and Kerberos for Windows, which ${outside}`, caches],
  MSLSA: [`keeps tickets in the Windows logon session, which ${outside}`, `log in here with kinit, and ${caches}`],
}

const keytabTypes: Refusals = {
  SRVTAB: ['is the keytab of Kerberos 4', keytabs],
  KDB: ["is the KDC's own database", keytabs],
  ANY: ['is a list of keytabs, of which MIT krb5 knows nothing', `merge them (kerb keytab merge), and ${keytabs}`],
}

/** The error for a store of a type that is not to be had here: it names the way out. */
export function refusedType(name: string, kind: 'ccache' | 'keytab'): KrbError {
  const { type } = parseStoreName(name)
  const [refusals, otherwise] = kind === 'ccache' ? [ccacheTypes, caches] : [keytabTypes, keytabs]
  const [where, wayOut] = refusals[type] ?? [`is no type of ${kind} that is known here`, otherwise]
  return new KrbError('NAME_REFUSED', `${name}: ${type} ${where}`, { hint: wayOut })
}
