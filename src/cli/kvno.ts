import { readFileSync } from 'node:fs'
import { decode } from '../asn1/codec.ts'
import { certificatesFromPem } from '../cms/pem.ts'
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { enctypeByName } from '../crypto/enctypes/table.ts'
import { run } from '../effects/index.ts'
import type { Krb5Credential } from '../gss/krb5/credential.ts'
import { proxyTicketFor, selfTicketFor } from '../gss/krb5/impersonate.ts'
import { ticketFor } from '../gss/krb5/initiator.ts'
import { mechanismOids } from '../gss/oids.ts'
import type { Credential } from '../krb5/credential.ts'
import { KrbError } from '../krb5/errors.ts'
import { nameTypes } from '../krb5/messages/codes.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal, hostService, type Principal, parsePrincipal } from '../krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../krb5/questions.ts'
import { sealedTicket } from '../krb5/sealed.ts'
import { Kerberos } from '../node/kerberos.ts'
import { entryOf } from '../store/ccacheentry.ts'
import { realmOfHost } from '../store/hostrealm.ts'
import { report } from './report.ts'

/** What `kerb kvno` was told; the letters are those of MIT's options. */
export interface KvnoOptions {
  readonly cache?: string
  readonly enctype?: string
  readonly keytab?: string
  readonly quiet?: boolean
  readonly canonicalize?: boolean
  readonly cachedOnly?: boolean
  /** False for --no-store. */
  readonly store?: boolean
  readonly outCache?: string
  readonly u2u?: string
  /** -I */
  readonly forUser?: string
  /** -U */
  readonly forEnterpriseUser?: string
  /** -F, PEM. */
  readonly certificate?: string
  readonly proxy?: boolean
}

/**
 * Gets a ticket for each service, into the cache as well, and shows the version of the key that it is sealed with. What
 * cannot be had is reported, and the others still are.
 */
export async function kvno(services: readonly string[], options: KvnoOptions): Promise<void> {
  const kerberos = new Kerberos()
  const enctype = options.enctype === undefined ? undefined : enctypeOf(options.enctype)
  using credentials = await kerberos.acquire({ usage: 'initiate', store: { ccache: options.cache } })
  const element = credentials.element(mechanismOids.krb5) as Krb5Credential
  const secondTicket = options.u2u === undefined ? undefined : (await kerberos.resume(options.u2u)).ticket.ticket
  const buy = buyer(kerberos, element, options, { enctype, secondTicket })
  const keeps = options.outCache === undefined && options.store !== false
  const world = keeps ? kerberos.world : { ...kerberos.world, keep: () => undefined }
  const had: Credential[] = []
  for (const text of services) {
    try {
      const credential = await run<KrbQuestions, Credential>(buy(serviceOf(kerberos, text)), world)
      had.push(credential)
      const { kvno = 0 } = decode(Ticket, credential.ticket).encPart
      const opened = options.keytab === undefined ? '' : await openedWith(kerberos, options.keytab, credential)
      if (!options.quiet) process.stdout.write(`${formatPrincipal(credential.server)}: kvno = ${kvno}${opened}\n`)
    } catch (error) {
      report(error)
    }
  }
  if (options.outCache !== undefined && had.length > 0) await writeOut(kerberos, options.outCache, had, element)
}

/** A cache of the tickets alone; it belongs to whoever the first one is of. */
async function writeOut(
  { caches }: Kerberos,
  name: string,
  had: readonly Credential[],
  { clockOffset }: Krb5Credential,
): Promise<void> {
  const cache = await caches.resolve(name)
  await cache.replace({ principal: had[0]!.client, clockOffset, entries: had.map(entryOf) })
}

function enctypeOf(name: string): Enctype {
  const enctype = enctypeByName(name)
  if (!enctype) throw new TypeError(`not an encryption type: ${name}`)
  return enctype
}

function serviceOf({ config }: Kerberos, text: string): Principal {
  const named = parsePrincipal(text)
  const [service, host] = named.components
  if (named.realm !== '') return named
  if (named.components.length !== 2) return { ...named, realm: config.defaultRealm }
  return { ...hostService(service!, host!), realm: realmOfHost(config, host!) }
}

/** How tickets are bought: as whoever the cache belongs to, or in the name of a user. */
function buyer(
  { env, config }: Kerberos,
  element: Krb5Credential,
  options: KvnoOptions,
  { enctype, secondTicket }: { readonly enctype: Enctype | undefined; readonly secondTicket: Uint8Array | undefined },
): (service: Principal) => KrbExchange<Credential> {
  const { forUser, forEnterpriseUser, certificate, proxy, canonicalize, cachedOnly } = options
  const realm = config.defaultRealm
  const user =
    forEnterpriseUser === undefined
      ? forUser === undefined
        ? undefined
        : parsePrincipal(forUser, { realm })
      : { type: nameTypes.enterprise, components: [forEnterpriseUser], realm }
  const enctypes = enctype && { enctypes: [enctype] }
  if (!user && certificate === undefined) {
    if (proxy) throw new TypeError('-P acts in the name of a user: say of whom, by -I, -U or -F')
    const requestOptions = [
      ...(canonicalize ? (['canonicalize'] as const) : []),
      ...(secondTicket ? (['encTktInSkey'] as const) : []),
    ]
    const wanted = { ...enctypes, secondTicket, cachedOnly, options: requestOptions }
    return (service) => required(ticketFor(element, service, env, wanted), enctype)
  }
  if (secondTicket) throw new TypeError('--u2u does not go with -I, -U and -F')
  const whom = {
    user,
    certificate: certificate === undefined ? undefined : certificatesFromPem(readFileSync(certificate))[0],
  }
  return function* (service) {
    if (!proxy) return yield* selfTicketFor(element, { ...whom, service }, env, { ...enctypes, cachedOnly })
    const evidence = yield* selfTicketFor(element, whom, env, { cachedOnly })
    return yield* proxyTicketFor(element, evidence, service, env, { ...enctypes, cachedOnly })
  }
}

/** The exchange takes another enctype where the service has none of those asked for; who names one wants no other. */
function* required(exchange: KrbExchange<Credential>, enctype: Enctype | undefined): KrbExchange<Credential> {
  const credential = yield* exchange
  if (enctype && credential.key.enctype !== enctype)
    throw new KrbError('KDC_ERR_ETYPE_NOSUPP', `${formatPrincipal(credential.server)} has no ${enctype.name} key`)
  return credential
}

async function openedWith(kerberos: Kerberos, keytab: string, { server, ticket }: Credential): Promise<string> {
  const { encPart } = decode(Ticket, ticket)
  const keys = await kerberos.keys(keytab, server)
  const { key } = keys.find(({ key, kvno }) => key.enctype.id === encPart.etype && kvno === encPart.kvno) ?? keys[0]!
  sealedTicket.open(key, encPart)
  return ', keytab entry valid'
}
