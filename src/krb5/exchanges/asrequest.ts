/** What goes into an AS-REQ (RFC 4120 §3.1.1). @module */
import { encode } from '../../asn1/codec.ts'
import type { Encoded } from '../../asn1/structures.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import { type Env, randomNumber, seconds } from '../env.ts'
import type { HostAddress, KdcOptions, PaData } from '../messages/basics.ts'
import { nameTypes, paTypes } from '../messages/codes.ts'
import { KdcReqBody } from '../messages/kdc.ts'
import { PaPacRequest } from '../messages/pac.ts'
import { anonymousPrincipal, isAnonymous, type Principal, principalNameOf, ticketGrantingService } from '../names.ts'
import type { Preauth } from '../preauth/mechanism.ts'
import type { LongTermSecret } from '../secret.ts'
import type { Armor } from './fast.ts'

/** What the caller wants of the AS exchange (RFC 4120 §3.1). */
export interface AsRequest {
  readonly client: Principal
  /** Where the client's long-term keys come from; undefined when only mechanisms without them should be tried. */
  readonly secret?: LongTermSecret | undefined
  /** The ticket-granting service of the client's realm, unless said. */
  readonly service?: Principal | undefined
  /** When the ticket is to begin, in seconds since the epoch: such a ticket must be validated then (RFC 4120 §2.4). Now, unless said. */
  readonly startTime?: number | undefined
  /** Seconds the ticket is to be good for. */
  readonly lifetime: number
  /** Seconds it is to be renewable for; not renewable unless said. */
  readonly renewLifetime?: number | undefined
  readonly options?: Iterable<KdcOptions extends ReadonlySet<infer Option> ? Option : never> | undefined
  readonly addresses?: readonly HostAddress[] | undefined
  /** Ways to pre-authenticate, best first; those of `preauth/list.ts` unless said. */
  readonly preauth?: readonly Preauth[] | undefined
  /** Whether the first request is to hold a proof by the first mechanism that can make one; false unless said. */
  readonly onChance?: boolean | undefined
  /** What to go through FAST with; without it there is no FAST. */
  readonly armor?: Armor | undefined
  /** Whether the ticket should hold a PAC (MS-KILE §2.2.3); the KDC's choice unless said. */
  readonly pac?: boolean | undefined
  /** Whether to follow the KDC's clock when it differs (kdc_timesync); true unless said. */
  readonly followClock?: boolean | undefined
}

/** Whether the KDC may answer for another name than the one asked for (RFC 6806 §6). */
export const mayCanonicalize = ({ client, options = [] }: Pick<AsRequest, 'client' | 'options'>): boolean =>
  client.type === nameTypes.enterprise || [...options].includes('canonicalize')

/** The body of the next request, with a nonce of its own. */
export function requestBody(request: AsRequest, enctypes: readonly Enctype[], env: Env): Encoded<KdcReqBody> {
  const { client, startTime, lifetime, renewLifetime, options = [], addresses } = request
  const start = startTime ?? seconds(env.now())
  const kdcOptions: KdcOptions = new Set([
    ...options,
    ...(renewLifetime ? (['renewable'] as const) : []),
    ...(startTime === undefined ? [] : (['allowPostdate', 'postdated'] as const)),
    ...(isAnonymous(client) ? (['requestAnonymous'] as const) : []),
  ])
  const value: KdcReqBody = {
    kdcOptions,
    cname: principalNameOf(client),
    realm: client.realm,
    sname: principalNameOf(serviceOf(request)),
    ...(startTime === undefined ? {} : { from: startTime }),
    till: start + lifetime,
    ...(renewLifetime ? { rtime: start + renewLifetime } : {}),
    nonce: randomNumber(env),
    etype: enctypes.map(({ id }) => id),
    ...(addresses?.length ? { addresses } : {}),
  }
  return { value, der: encode(KdcReqBody, value) }
}

/** The body that travels outside of the tunnel when the client's name is not to be seen (RFC 6113 §5.4.2). */
export function anonymously(body: KdcReqBody): Encoded<KdcReqBody> {
  const value: KdcReqBody = {
    ...body,
    cname: principalNameOf(anonymousPrincipal()),
  }
  return { value, der: encode(KdcReqBody, value) }
}

/** Whose ticket is asked for. */
export const serviceOf = ({ client, service }: AsRequest): Principal => service ?? ticketGrantingService(client.realm)

/** Padata of every request, beside the proof: RFC 6806 §11, MS-KILE §2.2.3. */
export const constantPadata = ({ pac }: AsRequest): readonly PaData[] => [
  { padataType: paTypes.reqEncPaRep, padataValue: new Uint8Array(0) },
  ...(pac === undefined
    ? []
    : [{ padataType: paTypes.pacRequest, padataValue: encode(PaPacRequest, { includePac: pac }) }]),
]
