/** Who takes part in the figures: alice with a ticket, and a service with its key. @module */
import { decode } from '../src/asn1/codec.ts'
import { Key } from '../src/crypto/key.ts'
import { SecurityContext } from '../src/gss/context.ts'
import type { GssFlag } from '../src/gss/flags.ts'
import { Krb5Credential } from '../src/gss/krb5/credential.ts'
import { unframe } from '../src/gss/krb5/framing.ts'
import { krb5Mechanism } from '../src/gss/krb5/mechanism.ts'
import { bind } from '../src/gss/mechanism.ts'
import { Name } from '../src/gss/name.ts'
import type { Env } from '../src/krb5/env.ts'
import { ApReq } from '../src/krb5/messages/ap.ts'
import { EncTicketPart } from '../src/krb5/messages/ticket.ts'
import { formatPrincipal } from '../src/krb5/names.ts'
import { MemoryReplayCache } from '../src/krb5/replay.ts'
import { keyUsages } from '../src/krb5/usages.ts'
import { random } from '../src/node/random.ts'
import { now } from '../src/node/world.ts'
import type { Subject } from './figure.ts'
import { enctypeOf, providers } from './providers.ts'
import { granted, read } from './tickets.ts'

/** Both ends of one established context. */
export interface Contexts {
  readonly initiator: SecurityContext
  readonly acceptor: SecurityContext
}

/** The DER of one accept. */
interface Accept {
  readonly request: Uint8Array
  readonly ticketPart: Uint8Array
  readonly authenticator: Uint8Array
}

/** A client and a service that share a ticket. */
export interface Parties {
  /** The service as a principal name. */
  readonly service: string
  /** One handshake with mutual authentication, both ends in this process. */
  establish(): Promise<Contexts>
  /** A context that was exported, as often as it is asked for. */
  imported(token: Uint8Array): SecurityContext
  /** The messages of one accept, decrypted. */
  takenApart(): Promise<Accept>
}

const flags: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']

/** Parties over the subject's provider, with a ticket of MIT's KDC where there is one, else of our own. */
export async function partiesFor({ provider, mit }: Subject, kind: 'withPac' | 'withoutPac'): Promise<Parties> {
  const env: Env = { now, random, enctypes: providers[provider]! }
  const { credential, serviceKey } = mit ? await read(mit, mit[kind], env.enctypes) : granted(enctypeOf(provider), env)
  const replays = new MemoryReplayCache()
  const unasked = () => {
    throw new TypeError('nothing else is asked of the world where ticket and key are at hand')
  }
  const mech = bind(krb5Mechanism(env), {
    send: unasked,
    prompt: unasked,
    keep: unasked,
    compute: unasked,
    replay: (record) => replays.seen(record),
  })
  const name = Name.principal(formatPrincipal(credential.server))
  const clients = Krb5Credential.credentials({ initiate: { client: credential.client, tickets: [credential] } })
  const services = Krb5Credential.acceptor([serviceKey], serviceKey.principal)
  const initiate = () => new SecurityContext({ usage: 'initiate', name, flags, creds: clients, mech })
  return {
    service: name.text.split('@')[0]!,
    async establish() {
      const initiator = initiate()
      const acceptor = new SecurityContext({ usage: 'accept', creds: services, mech })
      const reply = await acceptor.step(await initiator.step())
      await initiator.step(reply)
      return { initiator, acceptor }
    },
    imported: (token) => SecurityContext.import(token, { mech }),
    async takenApart() {
      const request = unframe((await initiate().step())!).message
      const { ticket, authenticator } = decode(ApReq, request)
      const ticketPart = serviceKey.key.decrypt(keyUsages.ticket, ticket.encPart.cipher)
      using session = new Key(enctypeOf(provider), decode(EncTicketPart, ticketPart).key.keyvalue)
      return {
        request,
        ticketPart,
        authenticator: session.decrypt(keyUsages.apReqAuthenticator, authenticator.cipher),
      }
    },
  }
}
