/** What clients keep for the daemon, sealed: who their credentials are, and which handshake is theirs. @module */
import { toHex } from '../bytes/index.ts'
import type { Usage } from '../gss/credentials.ts'
import type { BoundHandshake } from '../gss/mechanism.ts'
import type { Name } from '../gss/name.ts'
import type { BoughtTickets } from './bought.ts'
import { type Cred, CredUsage, WireName } from './messages.ts'
import type { ProxyService, Vault } from './service.ts'
import { nameFromWire, nameToWire } from './wire.ts'
import { bool, decode, encode, opaque, optional, struct } from './xdr.ts'

/** What a credential handle holds: what to look for in the service's store, or tickets that are nowhere else. */
const Reference = struct({
  usage: CredUsage,
  name: optional(WireName),
  impersonated: bool,
  tickets: optional(opaque),
  /** What tickets that were bought with these are kept under. */
  id: opaque,
})

/** What credentials were asked for. */
export interface Wanted {
  readonly usage: Usage
  readonly name: Name | undefined
}

/** What a handle refers to. */
export interface Referred extends Wanted {
  /** Whether the tickets are a service's in a user's name, who need not know. */
  readonly impersonated?: boolean | undefined
  /** Tickets that a user handed over, or that were got in a user's name: {@link ProxyService.pack}'s. The owner's to wipe. */
  readonly tickets?: Uint8Array | undefined
  /** The same for a handle that holds what was bought with another one. */
  readonly id?: Uint8Array | undefined
}

/** The sealed reference of credentials. */
export function sealReference(
  { usage, name, impersonated = false, tickets, id = new Uint8Array(0) }: Referred,
  { service: { name: service }, vault }: Pick<Desk, 'service' | 'vault'>,
): Uint8Array {
  const plaintext = encode(Reference, { usage, name: name && nameToWire(name), impersonated, tickets, id })
  try {
    return vault.seal(plaintext, `credential of ${service}`)
  } finally {
    plaintext.fill(0)
  }
}

/** What a client's handle refers to; undefined for one of another service or daemon. */
export function openReference(
  cred: Cred,
  { service: { name: service }, vault }: Pick<Desk, 'service' | 'vault'>,
): Referred | undefined {
  const plaintext = vault.open(cred.credHandleReference, `credential of ${service}`)
  if (!plaintext) return undefined
  const { usage, name, ...rest } = decode(Reference, plaintext, 'Reference').value
  return usage === 'none' ? undefined : { usage, name: name && nameFromWire(name), ...rest }
}

/** Handshakes of one service that are open at once; the oldest goes first. */
export const MAX_HANDSHAKES = 4096
/** Seconds that a peer has for its answer. */
export const PATIENCE = 300
const ID_SIZE = 16

/** The initiators' handshakes of one service that wait for the acceptor. What a client gets of one is a sealed number, good once. */
export class Handshakes {
  readonly #open = new Map<string, { readonly handshake: BoundHandshake; readonly until: number }>()
  readonly #vault: Vault
  readonly #random: (size: number) => Uint8Array
  readonly #purpose: string

  constructor({ name }: Pick<ProxyService, 'name'>, vault: Vault, random: (size: number) => Uint8Array) {
    this.#purpose = `handshake of ${name}`
    this.#vault = vault
    this.#random = random
  }

  /** Handshakes that wait at the moment. */
  get size(): number {
    return this.#open.size
  }

  /** Keeps a handshake; gives what the client is to bring back. `now` is in seconds. */
  keep(handshake: BoundHandshake, now: number): Uint8Array {
    for (const [id, { until }] of this.#open) {
      if (until > now && this.#open.size < MAX_HANDSHAKES) break
      this.#drop(id)
    }
    const id = this.#random(ID_SIZE)
    this.#open.set(toHex(id), { handshake, until: now + PATIENCE })
    return this.#vault.seal(id, this.#purpose)
  }

  /** The handshake that a client brings the state of; undefined when it is over, or never was this service's. */
  take(state: Uint8Array, now: number): BoundHandshake | undefined {
    const id = this.#vault.open(state, this.#purpose)
    const key = id && toHex(id)
    const held = key === undefined ? undefined : this.#open.get(key)
    if (!held) return undefined
    this.#open.delete(key!)
    if (held.until > now) return held.handshake
    held.handshake[Symbol.dispose]()
    return undefined
  }

  #drop(id: string): void {
    this.#open.get(id)?.handshake[Symbol.dispose]()
    this.#open.delete(id)
  }
}

/** A new handle's number. */
export const newId = ({ random }: Pick<Desk, 'random'>): Uint8Array => random(ID_SIZE)

/** What the procedures work with. */
export interface Desk {
  readonly service: ProxyService
  readonly vault: Vault
  /** Seconds since the epoch. */
  readonly now: number
  readonly handshakes: Handshakes
  readonly bought: BoughtTickets
  readonly random: (size: number) => Uint8Array
}
