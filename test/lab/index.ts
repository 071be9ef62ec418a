/** What interop tests see of the lab. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { PeerName } from './peers.ts'
import { LabError } from './process.ts'
import * as start from './start.ts'

export { heimdalProgram } from './peers.ts'
export { run } from './process.ts'

/** The peers of this run. To be asked for inside `peer`; throws LabError if that one is absent. */
export const lab = {
  /** MIT's KDC. Users have their name and `-pw` as password; who there is stands in mit.sh. */
  get mit(): start.Kdc {
    return present('mit', inject('lab').mit)
  },
  /** Heimdal's KDC, with the same users. */
  get heimdal(): start.Kdc {
    return inUse.heimdal ?? notInUse('heimdal')
  },
  /** Samba as a domain controller, with the same users. */
  get samba(): start.DomainController {
    return inUse.samba ?? notInUse('samba')
  },
  /** Two forests of Samba 4.22 that trust each other. */
  get forests(): start.Forests {
    return inUse.forest ?? notInUse('forest')
  },
  /** Apache with mod_auth_gssapi. */
  get apache(): start.Apache {
    return present('apache', inject('lab').apache)
  },
  /** `host:port` of gss_echo.py, whose docstring gives the protocol. */
  get echo(): string {
    return present('gssapi', inject('lab').echo).address
  },
} as const

/**
 * A `describe` whose tests need these peers. Where one is absent, a single test stands in its place and says what is
 * missing and how to get it; it fails where KERB_LAB=require.
 */
export function peer(names: PeerName | readonly PeerName[], title: string, tests: () => void): void {
  const { absent } = inject('lab')
  const reasons = [names].flat().flatMap((name) => (absent[name] ? [`${name}: ${absent[name]}`] : []))
  if (reasons.length === 0) {
    describe(title, () => {
      beforeAll(() => startWanted([names].flat()), start.startTimeout)
      tests()
    })
    return
  }
  test(`${title}: left out, for want of a peer`, () => {
    if (process.env['KERB_LAB'] === 'require') expect(reasons).toEqual([])
    console.warn(`${title}: left out\n${reasons.join('\n')}`)
  })
}

/** Peers that take long to come up: the first test file that needs them starts them, for all the others too. */
const inUse: { heimdal?: start.Kdc; samba?: start.DomainController; forest?: start.Forests } = {}

async function startWanted(names: readonly PeerName[]): Promise<void> {
  await Promise.all([
    names.includes('heimdal') &&
      startOnce('heimdal', (root) => start.startHeimdal(root)).then((kdc) => (inUse.heimdal = kdc)),
    names.includes('samba') && startOnce('samba', start.startSamba).then((kdc) => (inUse.samba = kdc)),
    names.includes('forest') && startOnce('forest', start.startForests).then((both) => (inUse.forest = both)),
  ])
}

/** Files of tests run one after the other, each in a process of its own: what one has started it writes down for the next. */
async function startOnce<T>(name: string, startIt: (root: string) => Promise<T>): Promise<T> {
  const note = join(inject('lab').root, `${name}.json`)
  if (!existsSync(note)) {
    const outcome = await startIt(inject('lab').root).then(
      (started) => ({ started }),
      (error: unknown) => ({ failure: String(error) }),
    )
    writeFileSync(note, JSON.stringify(outcome))
  }
  const { started, failure } = JSON.parse(readFileSync(note, 'utf8')) as { started?: T; failure?: string }
  if (started === undefined) throw new LabError(`${name} did not start: ${failure}`)
  return started
}

function notInUse(name: PeerName): never {
  throw new LabError(`lab.${name} is for the tests inside peer('${name}', …)`)
}

/** A fresh folder that is gone after the run. */
export function scratch(): string {
  return mkdtempSync(join(inject('lab').root, 'scratch-'))
}

/** Path of a keytab of `kdc`: by service (HTTP, host, echo, …), `users`, `enctypes`, `all`, or `wrong`: HTTP/localhost with other keys. */
export function keytab(name: string, kdc = lab.mit): string {
  return join(kdc.dir, 'keytabs', `${name}.keytab`)
}

/** Path of a program of the lab: `gss_initiate.py`, `http_client.py`. To be run with Debian's own /usr/bin/python3. */
export function program(name: string): string {
  return join(import.meta.dirname, name)
}

/** Starts one more MIT KDC, for a test that changes what is in it. */
export function startMit(): Promise<start.Kdc> {
  return start.startMit(inject('lab').root)
}

/** An MIT KDC whose UDP answers over 500 octets become KRB_ERR_RESPONSE_TOO_BIG, one for the whole run. */
export function smallUdpMit(): Promise<start.Kdc> {
  return startOnce('mit-small-udp', (root) => start.startMit(root, { smallUdp: true }))
}

/** A Heimdal KDC like {@link smallUdpMit}. */
export function smallUdpHeimdal(): Promise<start.Kdc> {
  return startOnce('heimdal-small-udp', (root) => start.startHeimdal(root, { smallUdp: true }))
}

/** Starts one more Apache, with the keys of another keytab, or those that the GSS-Proxy daemon at `proxy:SOCKET` has. */
export function startApache({ keytab, kdc = lab.mit }: { readonly keytab: string; readonly kdc?: start.Kdc }) {
  return start.startApache(inject('lab').root, kdc, keytab)
}

/** Starts the gssproxy daemon with the gssproxy.conf of this path; its sockets are there then. */
export function startGssProxy(config: string, kdc = lab.mit): Promise<void> {
  return start.startGssProxy(inject('lab').root, kdc, config)
}

/** Starts a KCM daemon, Heimdal's or SSSD's; the path of its socket. */
export function startKcm(kind: 'heimdal' | 'sssd'): Promise<string> {
  return start.startKcm(inject('lab').root, kind)
}

/** Starts a KDC proxy in front of `kdc`. */
export function startKkdcp(kdc = lab.mit): Promise<start.Proxy> {
  return start.startKkdcp(inject('lab').root, kdc)
}

/** Starts lighttpd and gss_https.py in front of `kdc`. */
export function startWeb(kdc = lab.mit): Promise<start.Web> {
  return start.startWeb(inject('lab').root, kdc)
}

/** Starts Squid, a proxy for users of `kdc`. */
export function startSquid(kdc = lab.mit): Promise<start.Squid> {
  return start.startSquid(inject('lab').root, kdc)
}

/** Starts a Redis; its port on 127.0.0.1. */
export function startRedis(): Promise<number> {
  return start.startRedis(inject('lab').root)
}

/** Builds gss_peer.c over a library, once for the whole run; the path of the program. */
export function gssPeerProgram(library: start.GssLibrary): Promise<string> {
  return startOnce(`gss_peer-${library}`, (root) => start.buildGssPeer(root, library))
}

function present<T>(name: PeerName, value: T | undefined): T {
  if (value === undefined) throw new LabError(`${name} is absent: ${inject('lab').absent[name]}`)
  return value
}
