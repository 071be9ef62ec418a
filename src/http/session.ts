/** Sessions in cookies that only the server can make or read, so that a browser need not send a token with each request. @module */
import { concat, equal, fromBase64, fromUtf8, toBase64, toHex, utf8 } from '../bytes/index.ts'
import { type InitiatorAttributes, Name } from '../gss/index.ts'
import { type EndedSessions, MemoryEndedSessions, type SessionRecord } from './ended.ts'
import type { FoundPeer, NegotiateRequest } from './peer.ts'

/** How sessions are kept (RFC 6265). */
export interface SessionOptions {
  /** 32 octets that seal the cookies, the same for every server of a site; made anew unless said, and then gone with the process. */
  readonly key?: Uint8Array | undefined
  /** Keys that sealed before: their cookies are still good. Eight at most. */
  readonly oldKeys?: readonly Uint8Array[] | undefined
  /** Seconds that a session lasts, if the ticket does; an hour unless said. */
  readonly lifetime?: number | undefined
  /** The cookie's name; `__Host-negotiate` unless said, or `negotiate` where it may not be called so. */
  readonly name?: string | undefined
  /** `/` unless said. */
  readonly path?: string | undefined
  /** The domain whose hosts share it; this host alone unless said. */
  readonly domain?: string | undefined
  /** Lax unless said. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined
  /** Whether the cookie is for TLS alone; true unless said. */
  readonly secure?: boolean | undefined
  /** What servers of one site have in common, such as its name: a cookie of another is not taken. The Host field unless said. */
  readonly audience?: string | undefined
  /** Whether groups and the like are kept as well, so that they are there throughout; true unless said. */
  readonly attributes?: boolean | undefined
  /** Remembers who signed out, until the cookies expire; this process's memory unless said. Servers of one site share it. */
  readonly ended?: EndedSessions | undefined
  /** Learns why a cookie was not taken, or not given. */
  readonly log?: ((event: SessionEvent) => void) | undefined
}

/** Why a cookie was not taken, or, for the last two, not given. */
export type SessionEvent =
  /** It was changed, is of another server or of another host, or its key is not here any more. */
  | 'unreadable'
  | 'expired'
  /** Its user signed out. */
  | 'ended'
  /** The attributes of whoever it is for leave no room: they authenticate anew with every request. */
  | 'too-large'
  /** The request did not come over TLS. */
  | 'insecure'

/** Octets of the key that seals cookies. */
export const SESSION_KEY_OCTETS = 32
/** Octets that browsers keep of a cookie, its name and attributes included (RFC 6265 §6.1). */
const COOKIE_OCTETS_MAX = 4096
/** Octets of a Cookie field that are looked through. */
const FIELD_OCTETS_MAX = 65_536
/** Cookies of the same name that are tried: paths may differ. */
const TRIES_MAX = 4
const OLD_KEYS_MAX = 8
/** Seconds that a session lasts unless said. */
const LIFETIME = 3600
/** Octets of an AES-GCM nonce (NIST SP 800-38D §5.2.1.1); random ones do for 2^32 cookies a key. */
const NONCE_OCTETS = 12

/** What sessions need of the world. */
interface SessionEnv {
  /** Microseconds since the epoch. */
  readonly now: () => number
  /** `size` octets that nobody can guess. */
  readonly random: (size: number) => Uint8Array
}

/** What a cookie holds. Short names: it travels with every request. */
interface Sealed {
  readonly name: readonly [text: string, type: string | null, mechanism: string | null]
  readonly begun: number
  readonly end: number
  readonly attributes?: {
    readonly is: readonly string[]
    readonly user?: string
    readonly in: Domains
    readonly not: Domains
  }
  /** What the password was, hashed with the cookie's nonce. */
  readonly basic?: string
}

/** Relative identifiers by domain: most groups of a user are in one. */
type Domains = Readonly<Record<string, readonly string[]>>

/** Makes and reads session cookies: AES-256-GCM by the runtime's Web Crypto. */
export class Sessions {
  readonly #options: SessionOptions
  readonly #env: SessionEnv
  readonly #keys: readonly Promise<CryptoKey>[]
  readonly #name: string
  readonly #ended: EndedSessions

  /** Throws TypeError for a key of another size, or too many of them. */
  constructor(options: SessionOptions, env: SessionEnv) {
    const { key = env.random(SESSION_KEY_OCTETS), oldKeys = [], secure = true, path = '/', domain, name } = options
    if (oldKeys.length > OLD_KEYS_MAX) throw new TypeError(`${oldKeys.length} old keys, more than ${OLD_KEYS_MAX}`)
    this.#options = options
    this.#env = env
    this.#ended = options.ended ?? new MemoryEndedSessions(env.now)
    this.#keys = [key, ...oldKeys].map(importKey)
    this.#name = name ?? (secure && path === '/' && domain === undefined ? '__Host-negotiate' : 'negotiate')
    for (const [what, text] of Object.entries({ name: this.#name, path, domain: domain ?? '' }))
      if (!/^[\x21-\x3a\x3c-\x7e]*$/.test(text) || (what === 'name' && /[=,"\\]|^$/.test(text)))
        throw new TypeError(`${JSON.stringify(text)} is no ${what} of a cookie`)
  }

  /**
   * Who began a session with the cookie that is in the request; undefined for none. One that began with a password takes
   * the same again where the request has any (`basic`). Rejects with what `ended` throws.
   */
  async resume(request: NegotiateRequest, basic?: Uint8Array): Promise<FoundPeer | undefined> {
    for (const text of this.#cookies(request)) {
      const opened = await this.#open(text, request)
      if (!opened) this.#log('unreadable')
      else if (this.#isOver(opened)) this.#log('expired')
      else if (await this.isEnded(recordOf(opened))) this.#log('ended')
      else if (!basic || (await isOf(basic, opened))) return { ...found(opened.sealed), session: recordOf(opened) }
    }
    return undefined
  }

  /** The Set-Cookie field that begins a session, and which that is; undefined where none may begin. */
  async begin(peer: FoundPeer, request: NegotiateRequest, basic?: Uint8Array): Promise<Begun | undefined> {
    const { lifetime = LIFETIME, secure = true, attributes: keeps = true } = this.#options
    if (secure && !request.secure) return this.#log('insecure')
    const now = Math.floor(this.#env.now() / 1e6)
    const end = Math.min(now + lifetime, peer.endtime, peer.credentials?.endtime ?? Infinity)
    if (end <= now) return undefined
    const nonce = Uint8Array.from(this.#env.random(NONCE_OCTETS))
    const { text, type = null, mechanism = null } = peer.initiator
    const attributes = keeps ? (peer.attributes ?? peer.read?.()) : undefined
    const sealed: Sealed = {
      name: [text, type, mechanism],
      begun: now,
      end,
      ...(attributes && { attributes: packed(attributes) }),
      ...(basic && { basic: toBase64(await digest(nonce, basic)) }),
    }
    const field = this.#field(await this.#seal(utf8(JSON.stringify(sealed)), nonce, request), end - now)
    if (field.length > COOKIE_OCTETS_MAX) return this.#log('too-large')
    return { field, session: recordOf({ nonce, sealed }) }
  }

  /** Whether somebody ended it before its time. Rejects with what `ended` throws. */
  async isEnded(session: SessionRecord): Promise<boolean> {
    return this.#ended.has(session)
  }

  /**
   * The Set-Cookie field that has a browser forget its session, whose cookie is not taken any more from now on, and neither
   * is one that came with `request`, as beside a token. Rejects with what `ended` throws.
   */
  async end(session?: SessionRecord, request: NegotiateRequest = {}): Promise<string> {
    const opened = await Promise.all(this.#cookies(request).map((text) => this.#open(text, request)))
    const records = opened.flatMap((one) => (one && !this.#isOver(one) ? [recordOf(one)] : []))
    const sessions = new Map([...records, ...(session ? [session] : [])].map((record) => [record.id, record]))
    for (const record of sessions.values()) await this.#ended.add(record)
    return this.#field('', 0)
  }

  #isOver({ sealed: { end } }: Opened): boolean {
    return end <= Math.floor(this.#env.now() / 1e6)
  }

  #log(event: SessionEvent): undefined {
    this.#options.log?.(event)
  }

  #field(value: string, seconds: number): string {
    const { path = '/', domain, secure = true, sameSite = 'Lax' } = this.#options
    const attributes = [`Path=${path}`, domain && `Domain=${domain}`, `Max-Age=${seconds}`, secure && 'Secure']
    return [`${this.#name}=${value}`, ...attributes.filter(Boolean), 'HttpOnly', `SameSite=${sameSite}`].join('; ')
  }

  #cookies({ cookie = '' }: NegotiateRequest): readonly string[] {
    if (cookie.length > FIELD_OCTETS_MAX) return []
    const begin = `${this.#name}=`
    const own = cookie.split(';').flatMap((pair) => (pair.trim().startsWith(begin) ? [pair.trim()] : []))
    return own.slice(0, TRIES_MAX).map((pair) => pair.slice(begin.length))
  }

  /** What a cookie is bound to besides its key. */
  #bound({ host = '' }: NegotiateRequest) {
    return utf8(`kerb session 2\0${this.#name}\0${this.#options.audience ?? host.toLowerCase()}`)
  }

  async #seal(plaintext: Uint8Array<ArrayBuffer>, iv: Uint8Array<ArrayBuffer>, request: NegotiateRequest) {
    const algorithm = { name: 'AES-GCM', iv, additionalData: this.#bound(request) }
    const ciphertext = await crypto.subtle.encrypt(algorithm, await this.#keys[0]!, plaintext)
    return toBase64(concat(iv, new Uint8Array(ciphertext))).replace(/[+/=]/g, urlSafe)
  }

  async #open(text: string, request: NegotiateRequest): Promise<Opened | undefined> {
    const octets = octetsOf(text)
    if (!octets) return undefined
    const nonce = octets.slice(0, NONCE_OCTETS)
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: this.#bound(request) }
    for (const key of this.#keys) {
      const plaintext = await crypto.subtle
        .decrypt(algorithm, await key, octets.slice(NONCE_OCTETS))
        .catch(() => undefined)
      // what opens was sealed here
      if (plaintext) return { nonce, sealed: JSON.parse(fromUtf8(new Uint8Array(plaintext))) as Sealed }
    }
    return undefined
  }
}

/** The field that begins a session, and which. */
interface Begun {
  readonly field: string
  readonly session: SessionRecord
}

interface Opened {
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly sealed: Sealed
}

/** A nonce is used once, so it tells sessions apart. */
const recordOf = ({ nonce, sealed: { begun, end } }: Opened): SessionRecord => ({ id: toHex(nonce), begun, end })

function importKey(octets: Uint8Array): Promise<CryptoKey> {
  if (octets.length !== SESSION_KEY_OCTETS)
    throw new TypeError(`a session key has ${SESSION_KEY_OCTETS} octets, not ${octets.length}`)
  return crypto.subtle.importKey('raw', Uint8Array.from(octets), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function found({ name: [text, type, mechanism], end, attributes }: Sealed): FoundPeer {
  return {
    initiator: new Name(text, type ?? undefined, mechanism ?? undefined),
    by: 'session',
    endtime: end,
    ...(attributes && {
      attributes: {
        indicators: attributes.is,
        user: attributes.user,
        groups: unpacked(attributes.in),
        denied: unpacked(attributes.not),
      },
    }),
  }
}

const packed = ({ indicators, user, groups, denied }: InitiatorAttributes): NonNullable<Sealed['attributes']> => ({
  is: indicators,
  ...(user !== undefined && { user }),
  in: byDomain(groups),
  not: byDomain(denied),
})

function byDomain(sids: readonly string[]): Domains {
  const domains: Record<string, string[]> = {}
  for (const sid of sids) {
    const dash = sid.lastIndexOf('-')
    ;(domains[sid.slice(0, dash)] ??= []).push(sid.slice(dash + 1))
  }
  return domains
}

const unpacked = (domains: Domains): readonly string[] =>
  Object.entries(domains).flatMap(([domain, ids]) => ids.map((id) => `${domain}-${id}`))

const digest = async (nonce: Uint8Array, secret: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', concat(nonce, secret)))

async function isOf(secret: Uint8Array, { nonce, sealed: { basic } }: Opened): Promise<boolean> {
  return basic !== undefined && equal(await digest(nonce, secret), fromBase64(basic))
}

const urlSafe = (character: string) => ({ '+': '-', '/': '_' })[character] ?? ''

function octetsOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]+$/.test(text) || text.length > COOKIE_OCTETS_MAX) return undefined
  try {
    const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat(-text.length & 3)
    return Uint8Array.from(fromBase64(padded))
  } catch {
    return undefined
  }
}
