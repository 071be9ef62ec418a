/** Which peers there are, what each of them is made of, and how to get the ones that are missing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LabError, run } from './process.ts'

/** Where Samba of Debian's backports is unpacked to. */
export const sambaBackports = '/opt/samba-backports'

/** Where curl of Debian's backports is unpacked to. */
export const curlBackports = '/opt/curl-backports'

interface Parts {
  /** Debian's packages. */
  readonly packages: readonly string[]
  /** Packages that conflict with those of another peer, and are only unpacked into the folder `unpackedTo`. */
  readonly unpacked?: readonly string[]
  /** A script of the lab that gets what no package of this release has, and its arguments. */
  readonly script?: readonly [name: string, ...args: string[]]
  /** What is looked for: a program by its name, anything else by its path, in which one directory may be `*`. */
  readonly parts: readonly string[]
}

/** Where Heimdal's programs are unpacked to: they have the names of MIT's. */
const unpackedTo = '/opt/heimdal'

const peers = {
  /** MIT's KDC and its tools: kinit, kvno, klist, ktutil; and a compiler, for the KDC's rules of delegation. */
  mit: {
    packages: [
      ...['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'krb5-pkinit', 'krb5-otp', 'openssl', 'procps', 'python3'],
      ...['gcc', 'libc6-dev', 'libkrb5-dev'],
    ],
    parts: [
      ...['krb5kdc', 'kadmind', 'kadmin.local', 'kdb5_util', 'kinit', 'kvno', 'klist', 'ktutil', 'openssl', 'ps'],
      ...['/usr/bin/python3', 'gcc', '/usr/include/stdio.h', '/usr/include/kdb.h'],
      ...['pkinit', 'spake', 'otp'].map((plugin) => `/usr/lib/*/krb5/plugins/preauth/${plugin}.so`),
    ],
  },
  /** Heimdal's KDC and its tools, by their paths. */
  heimdal: {
    packages: [
      ...['libkdc2-heimdal', 'libkadm5srv8-heimdal', 'libkadm5clnt7-heimdal', 'libhdb9-heimdal', 'libsl0-heimdal'],
      ...['libkafs0-heimdal', 'libgssapi3-heimdal', 'libotp0-heimdal', 'openssl', 'procps', 'python3'],
    ],
    unpacked: ['heimdal-kdc', 'heimdal-clients'],
    parts: [
      ...['openssl', 'ps', '/usr/bin/python3', '/usr/lib/*/libkdc.so.2', '/usr/lib/*/libgssapi.so.3'],
      ...['/usr/lib/*/libsl.so.0', '/usr/lib/*/libkafs.so.0', '/usr/lib/*/libotp.so.0'],
      ...['bin/kinit.heimdal', 'lib/heimdal-servers/kdc'].map((path) => `${unpackedTo}/usr/${path}`),
    ],
  },
  /** Samba, as a domain controller of Active Directory. */
  samba: {
    packages: [
      ...['samba', 'samba-ad-dc', 'samba-ad-provision', 'winbind', 'python3-samba', 'openssl', 'procps', 'python3'],
    ],
    parts: [
      ...['openssl', 'ps', '/usr/bin/python3', '/usr/sbin/samba', '/usr/sbin/smbd', '/usr/sbin/winbindd'],
      ...['/usr/share/samba/setup/provision.ldif', '/usr/lib/python3/dist-packages/samba/samdb.py'],
    ],
  },
  /** Two domain controllers of a newer Samba, of forests that trust each other. */
  forest: {
    packages: [
      ...['samba', 'samba-ad-dc', 'samba-ad-provision', 'winbind', 'python3-samba', 'openssl', 'procps', 'python3'],
    ],
    script: [
      ...(['backports.sh', sambaBackports, 'samba', 'samba-ad-dc', 'samba-ad-provision', 'python3-samba'] as const),
      ...['samba-dsdb-modules', 'samba-vfs-modules', 'winbind', 'samba-common-bin'],
    ],
    parts: [
      ...['openssl', 'ps', '/usr/bin/python3', '/usr/sbin/samba', '/usr/lib/python3/dist-packages/samba/samdb.py'],
      `${sambaBackports}/.complete`,
    ],
  },
  /** Daemons that keep credential caches: sssd-kcm, and kcm of Heimdal. */
  kcm: {
    packages: ['sssd-kcm', 'libhcrypto5-heimdal', 'libheimntlm0-heimdal', 'libkrb5-26-heimdal', 'procps'],
    unpacked: ['heimdal-kcm'],
    parts: [
      ...['/usr/libexec/sssd/sssd_kcm', `${unpackedTo}/usr/sbin/kcm`, 'ps'],
      ...['/usr/lib/*/libkrb5.so.26', '/usr/lib/*/libhcrypto.so.5', '/usr/lib/*/libheimntlm.so.0'],
    ],
  },
  /** Apache with mod_auth_gssapi. */
  apache: {
    packages: ['apache2-bin', 'libapache2-mod-auth-gssapi', 'openssl'],
    parts: ['openssl', '/usr/sbin/apache2', '/usr/lib/apache2/modules/mod_auth_gssapi.so'],
  },
  /** lighttpd with mod_authn_gssapi. */
  lighttpd: {
    packages: ['lighttpd', 'lighttpd-mod-authn-gssapi', 'openssl'],
    parts: ['/usr/sbin/lighttpd', '/usr/lib/lighttpd/mod_authn_gssapi.so', 'openssl'],
  },
  /** Squid with negotiate_kerberos_auth. */
  squid: { packages: ['squid'], parts: ['/usr/sbin/squid', '/usr/lib/squid/negotiate_kerberos_auth'] },
  /** The GSS-Proxy daemon, and the plugin by which C programs reach one. */
  gssproxy: {
    packages: ['gssproxy', 'util-linux'],
    parts: [...['/usr/sbin/gssproxy', '/usr/lib/*/gssproxy/proxymech.so', '/etc/gss/mech.d/proxymech.conf', 'setpriv']],
  },
  /** python-gssapi, over MIT's library. */
  gssapi: { packages: ['python3-gssapi'], parts: ['/usr/lib/python3/dist-packages/gssapi/__init__.py'] },
  /** requests with requests-kerberos, and the module kerberos below it. */
  requests: {
    packages: ['python3-requests-kerberos', 'python3-kerberos'],
    parts: ['/usr/lib/python3/dist-packages/requests_kerberos/__init__.py'],
  },
  /** A KDC proxy, and what lets MIT's tools ask one. */
  kkdcp: {
    packages: ['python3-kdcproxy', 'krb5-k5tls', 'openssl'],
    parts: ['/usr/lib/python3/dist-packages/kdcproxy/__init__.py', '/usr/lib/*/krb5/plugins/tls/k5tls.so', 'openssl'],
  },
  /** MIT's sample programs. */
  samples: { packages: ['krb5-gss-samples'], parts: ['gss-client', 'gss-server'] },
  redis: { packages: ['redis-server'], parts: ['redis-server'] },
  curl: { packages: ['curl'], parts: ['curl'] },
  /** curl 8.14, which binds its tokens to the channel, beside this release's own. */
  newcurl: {
    packages: ['curl'],
    script: ['backports.sh', curlBackports, 'curl'],
    parts: ['curl', `${curlBackports}/.complete`],
  },
  /** A browser, and the GSS-API that it signs in by. */
  chromium: { packages: ['chromium', 'libgssapi-krb5-2'], parts: ['chromium', '/usr/lib/*/libgssapi_krb5.so.2'] },
  /** What C programs on MIT's library are built with. */
  cc: {
    packages: ['gcc', 'libc6-dev', 'libkrb5-dev'],
    parts: ['gcc', '/usr/include/stdio.h', '/usr/include/gssapi/gssapi_krb5.h'],
  },
  /** The same for Heimdal's library, beside MIT's. */
  heimdalcc: {
    packages: ['gcc', 'libc6-dev', 'heimdal-multidev'],
    parts: [
      ...['gcc', '/usr/include/stdio.h', '/usr/include/heimdal/gssapi/gssapi.h'],
      ...['/usr/lib/*/heimdal/libgssapi.so', '/usr/lib/*/libgssapi.so.3'],
    ],
  },
} satisfies Record<string, Parts>

/** A peer by the name that tests use. */
export type PeerName = keyof typeof peers

/** Why each absent peer is absent, and the command that mends it. */
export type Absent = Partial<Record<PeerName, string>>

/** The peers of which a part is missing here. */
export function absentPeers(): Absent {
  const found = Object.entries<Parts>(peers).map(([name, { packages, unpacked, script, parts }]) => {
    const missing = parts.filter((part) => !isThere(part))
    const also = [
      ...(unpacked ? [`, and dpkg -x ${unpacked.join(' ')} into ${unpackedTo}`] : []),
      ...(script ? [`, and as root: bash test/lab/${script.join(' ')}`] : []),
    ].join('')
    const reason = `${missing.join(', ')} not found; on Debian: apt-get install ${packages.join(' ')}${also}`
    return [name, missing.length > 0 ? reason : undefined] as const
  })
  return Object.fromEntries(found.filter(([, reason]) => reason !== undefined))
}

/** Path of a program of Heimdal's: kinit, kgetcred, klist, kpasswd, ktutil, … */
export function heimdalProgram(name: string): string {
  const names = [`${name}.heimdal`, name].map((file) => join(unpackedTo, 'usr/bin', file))
  return names.find((path) => existsSync(path)) ?? names[0]!
}

/** Whether this process may install Debian packages. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && /debian/.test(osRelease())
}

/** Installs what the absent peers are made of. Throws LabError with the end of apt's output if that fails. */
export async function install(absent: Absent): Promise<void> {
  const parts: readonly Parts[] = (Object.keys(absent) as PeerName[]).map((name) => peers[name])
  const packages = parts.flatMap(({ packages }) => packages)
  const unpacked = parts.flatMap(({ unpacked = [] }) => unpacked)
  const args = [...packages, ...(unpacked.length > 0 ? ['--unpack', unpackedTo, ...unpacked] : [])]
  const { code, stderr } = await run('bash', [join(import.meta.dirname, 'packages.sh'), ...args], {
    timeout: installTimeout,
  })
  if (code !== 0) throw new LabError(`apt-get install ${packages.join(' ')}: ${stderr}`)
  for (const { script } of parts) {
    if (!script) continue
    const [name, ...args] = script
    const path = join(import.meta.dirname, name)
    const { code, stderr } = await run('bash', [path, ...args], { timeout: installTimeout })
    if (code !== 0) throw new LabError(`${name} ${args.join(' ')}: ${stderr}`)
  }
}

/** Milliseconds: a slow mirror, after the 300 s that packages.sh waits for somebody else's lock. */
const installTimeout = 900_000

function isThere(part: string): boolean {
  if (!part.startsWith('/')) return searchPath().some((directory) => existsSync(join(directory, part)))
  const [before, after] = part.split('/*/')
  if (after === undefined) return existsSync(part)
  return existsSync(before!) && readdirSync(before!).some((directory) => existsSync(join(before!, directory, after)))
}

/** The scripts look for daemons where administrators do, too. */
const searchPath = () => [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']

const osRelease = () => (existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')
