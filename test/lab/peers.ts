/** Which peers there are, what each of them is made of, and how to get the ones that are missing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LabError, run } from './process.ts'

interface Parts {
  /** Debian's packages. */
  readonly packages: readonly string[]
  /** What is looked for: a program by its name, anything else by its path, in which one directory may be `*`. */
  readonly parts: readonly string[]
}

const peers = {
  /** MIT's KDC and its tools: kinit, kvno, klist, ktutil. */
  mit: {
    packages: ['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'krb5-pkinit', 'openssl', 'procps', 'python3'],
    parts: [
      ...['krb5kdc', 'kadmind', 'kadmin.local', 'kdb5_util', 'kinit', 'kvno', 'klist', 'ktutil', 'openssl', 'ps'],
      ...['/usr/bin/python3', '/usr/lib/*/krb5/plugins/preauth/pkinit.so', '/usr/lib/*/krb5/plugins/preauth/spake.so'],
    ],
  },
  /** Apache with mod_auth_gssapi. */
  apache: {
    packages: ['apache2-bin', 'libapache2-mod-auth-gssapi'],
    parts: ['/usr/sbin/apache2', '/usr/lib/apache2/modules/mod_auth_gssapi.so'],
  },
  /** python-gssapi, over MIT's library. */
  gssapi: { packages: ['python3-gssapi'], parts: ['/usr/lib/python3/dist-packages/gssapi/__init__.py'] },
  /** requests with requests-kerberos. */
  requests: {
    packages: ['python3-requests-kerberos'],
    parts: ['/usr/lib/python3/dist-packages/requests_kerberos/__init__.py'],
  },
  curl: { packages: ['curl'], parts: ['curl'] },
  /** What C programs on MIT's library are built with. */
  cc: {
    packages: ['gcc', 'libc6-dev', 'libkrb5-dev'],
    parts: ['gcc', '/usr/include/stdio.h', '/usr/include/gssapi/gssapi_krb5.h'],
  },
} satisfies Record<string, Parts>

/** A peer by the name that tests use. */
export type PeerName = keyof typeof peers

/** Why each absent peer is absent, and the command that mends it. */
export type Absent = Partial<Record<PeerName, string>>

/** The peers of which a part is missing here. */
export function absentPeers(): Absent {
  const found = Object.entries<Parts>(peers).map(([name, { packages, parts }]) => {
    const missing = parts.filter((part) => !isThere(part))
    const reason = `${missing.join(', ')} not found; on Debian: apt-get install ${packages.join(' ')}`
    return [name, missing.length > 0 ? reason : undefined] as const
  })
  return Object.fromEntries(found.filter(([, reason]) => reason !== undefined))
}

/** Whether this process may install Debian packages. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && /debian/.test(osRelease())
}

/** Installs what the absent peers are made of. Throws LabError with the end of apt's output if that fails. */
export async function install(absent: Absent): Promise<void> {
  const packages = (Object.keys(absent) as PeerName[]).flatMap((name) => peers[name].packages)
  const script = join(import.meta.dirname, 'packages.sh')
  const { code, stderr } = await run('bash', [script, ...packages], { timeout: installTimeout })
  if (code !== 0) throw new LabError(`apt-get install ${packages.join(' ')}: ${stderr}`)
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
