/** Where servers are, as long as it is remembered. @module */
import { run } from '../effects/index.ts'
import type { Attempt } from '../krb5/errors.ts'
import { type LocateConfig, locateRealm, locateServers, type ServerKind } from '../store/locate.ts'
import type { KdcAddress } from '../store/servers.ts'
import { dnsWorld } from './dns.ts'
import { random } from './random.ts'

/** How the DNS is reached. */
export interface DnsAccess {
  /** `address` or `address:port` of the resolvers; the system's unless said. */
  readonly dnsServers?: readonly string[] | undefined
  /** Milliseconds for one name; 5,000 unless said. */
  readonly dnsTimeout?: number | undefined
}

const TIMEOUT = 5_000

/** What finding servers works with. */
export interface LocatorOptions extends DnsAccess {
  readonly config: LocateConfig
  /** Milliseconds by a clock that only goes forward. */
  readonly clock: () => number
}

/** Where servers are, and what went wrong in finding out. */
export interface Located {
  readonly servers: readonly KdcAddress[]
  readonly failures: readonly Attempt[]
}

/** The realm of a host, as {@link locateRealm} finds it. */
export const locateRealmOf = (
  config: Parameters<typeof locateRealm>[0],
  host: string,
  { dnsServers: servers, dnsTimeout: timeout = TIMEOUT }: DnsAccess,
): Promise<string> => run(locateRealm(config, host, random), dnsWorld({ servers, timeout, onFailure: () => undefined }))

/** Milliseconds that an answer of the DNS is good for here: a few requests in a row need not ask it again. */
const REMEMBERED = 60_000
/** Answers that are remembered. */
const MAX_REMEMBERED = 256

/** Finds servers, and remembers for a minute what the DNS said. */
export function serverLocator(options: LocatorOptions): (realm: string, kind: ServerKind) => Promise<Located> {
  const { config, dnsServers: servers, dnsTimeout: timeout = TIMEOUT, clock } = options
  const known = new Map<string, { readonly until: number; readonly located: Located }>()
  return async (realm, kind) => {
    const key = `${kind} ${realm}`
    const remembered = known.get(key)
    if (remembered && remembered.until > clock()) return remembered.located
    const failures: Attempt[] = []
    const onFailure = (name: string, reason: string) => void failures.push({ kdc: `DNS ${name}`, reason })
    const located = {
      servers: await run(locateServers(config, { realm, kind }, random), dnsWorld({ servers, timeout, onFailure })),
      failures,
    }
    known.delete(key)
    const [oldest] = known.keys()
    if (known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest)
    if (failures.length === 0) known.set(key, { until: clock() + REMEMBERED, located })
    return located
  }
}
