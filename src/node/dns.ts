/** What the DNS says of where servers are: the system's resolvers, asked without its search list. @module */
import { getServers } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import type { World } from '../effects/index.ts'
import type { DnsQuestions } from '../store/locate.ts'

/** How the DNS is asked. */
export interface DnsOptions {
  /** `address` or `address:port` of the resolvers; the system's unless said. */
  readonly servers?: readonly string[] | undefined
  /** Milliseconds for one name. */
  readonly timeout: number
  /** Told of names that could not be looked up; a name without records is no failure. */
  readonly onFailure: (name: string, reason: string) => void
}

/** Milliseconds before a silent resolver is asked once more. */
const RETRANSMIT = 1_000

/** Answers by the system's resolvers. A name that cannot be looked up in time has no records. */
export function dnsWorld({ servers, timeout, onFailure }: DnsOptions): World<DnsQuestions> {
  const resolver = new Resolver({ timeout: RETRANSMIT, tries: Math.max(1, Math.floor(timeout / RETRANSMIT / 2)) })
  if (servers) resolver.setServers(servers)
  const looked = async <T>(name: string, look: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await look()
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (!absent.includes(code)) onFailure(name, reasons[code] ?? message)
      return []
    }
  }
  return {
    srv: ({ name }) =>
      looked(`SRV ${name}`, async () =>
        (await resolver.resolveSrv(name)).map(({ name: target, ...record }) => ({ target: target || '.', ...record })),
      ),
    txt: ({ name }) => looked(`TXT ${name}`, async () => (await resolver.resolveTxt(name)).map((t) => t.join(''))),
    uri: ({ name }) =>
      looked(`URI ${name}`, async () => {
        // Node has no query for them; what makes one is loaded by those alone whose servers are not configured
        const { resolveUri } = await import('./dnsuri.ts')
        return resolveUri(name, servers ?? getServers(), { timeout, retransmit: RETRANSMIT })
      }),
  }
}

const absent: readonly string[] = ['ENOTFOUND', 'ENODATA']
const reasons: Readonly<Record<string, string>> = {
  ETIMEOUT: 'the resolver did not answer',
  ECONNREFUSED: 'no resolver answers',
  ESERVFAIL: 'the resolver failed',
  EREFUSED: 'the resolver refused',
}
