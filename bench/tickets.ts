/** Tickets to measure with. @module */
import { readFile } from 'node:fs/promises'
import { encode } from '../src/asn1/codec.ts'
import type { Enctype } from '../src/crypto/enctypes/profile.ts'
import { Key } from '../src/crypto/key.ts'
import type { Credential, ServiceKey } from '../src/krb5/credential.ts'
import { type Env, seconds } from '../src/krb5/env.ts'
import type { AuthorizationData } from '../src/krb5/messages/basics.ts'
import { Ticket } from '../src/krb5/messages/ticket.ts'
import { formatPrincipal, parsePrincipal, principalNameOf } from '../src/krb5/names.ts'
import { sealedTicket } from '../src/krb5/sealed.ts'
import { parseCcache } from '../src/store/ccache.ts'
import { credentialOf } from '../src/store/ccacheentry.ts'
import { keysOf, parseKeytab } from '../src/store/keytab.ts'
import { LabError } from '../test/lab/process.ts'
import type { Tickets } from './figure.ts'

/** What a client and a service share: a ticket, and the key that opens it. */
export interface Shared {
  readonly credential: Credential
  readonly serviceKey: ServiceKey
}

/** What MIT's KDC granted, over these enctypes. Throws LabError when the files do not hold it. */
export async function read(
  { ccache, keytab }: Tickets,
  service: string,
  enctypes: readonly Enctype[],
): Promise<Shared> {
  const { entries } = parseCcache(await readFile(ccache))
  const entry = entries.find(({ server }) => formatPrincipal(server).startsWith(`${service}@`))
  const credential = entry && credentialOf(entry, enctypes)
  const [serviceKey] = entry ? keysOf(parseKeytab(await readFile(keytab)), enctypes, entry.server) : []
  if (!credential || !serviceKey) throw new LabError(`no ticket and key of ${service} in ${ccache} and ${keytab}`)
  return { credential, serviceKey }
}

/** Seconds that a ticket of ours lives: longer than any run. */
const LIFETIME = 36_000

/** What is not as always in a ticket that {@link granted} makes. */
export interface GrantOptions {
  /** The key that opens it; a new one unless said. */
  readonly serviceKey?: ServiceKey
  readonly authorizationData?: AuthorizationData
}

/** A ticket as a KDC grants it (RFC 4120 §3.3.3), without authorization data unless said. */
export function granted(enctype: Enctype, env: Env, options: GrantOptions = {}): Shared {
  const client = parsePrincipal('alice@BENCH.TEST')
  const server = parsePrincipal('HTTP/www.bench.test@BENCH.TEST')
  const key = Key.generate(enctype, env.random)
  const { serviceKey = { principal: server, kvno: 1, key: Key.generate(enctype, env.random) }, authorizationData } =
    options
  const now = seconds(env.now())
  const common = {
    flags: new Set(['forwardable', 'preAuthent'] as const),
    authtime: now,
    starttime: now,
    endtime: now + LIFETIME,
  }
  const part = {
    ...common,
    key: { keytype: enctype.id, keyvalue: key.octets() },
    crealm: client.realm,
    cname: principalNameOf(client),
    transited: { trType: 1, contents: new Uint8Array(0) },
    authorizationData,
  }
  const ticket = {
    realm: server.realm,
    sname: principalNameOf(server),
    encPart: sealedTicket.seal(serviceKey.key, part, env, serviceKey.kvno),
  }
  return { credential: { ...common, client, server, key, ticket: encode(Ticket, ticket) }, serviceKey }
}
