/** The realms between a client's and a server's, and the ones that a ticket went through (RFC 4120 §1.2, §3.3.3.2). @module */
import { utf8 } from '../bytes/index.ts'
import type { Env } from './env.ts'
import { transitedTypes } from './messages/codes.ts'
import type { TransitedEncoding } from './messages/ticket.ts'

/**
 * Realms on the way from one realm to another, without the two: as configured, or up and down the tree of names (RFC 4120
 * §1.2): from A.B.C to D.C by B.C and C.
 */
export const realmPath = ({ paths }: Pick<Env, 'paths'>, from: string, to: string): readonly string[] =>
  paths?.(from, to) ?? hierarchy(from, to)

function hierarchy(from: string, to: string): readonly string[] {
  const up = ancestors(from)
  const down = ancestors(to)
  const common = up.find((realm) => down.includes(realm))
  if (common === undefined || from === to) return []
  const way = [...up.slice(0, up.indexOf(common) + 1), ...down.slice(0, down.indexOf(common)).reverse()]
  return way.filter((realm) => realm !== from && realm !== to)
}

/** A realm and those above it, the nearest first; X.500 names have their root in front. */
function ancestors(realm: string): readonly string[] {
  if (realm.startsWith('/')) {
    const parts = realm.split('/')
    return parts.slice(1).map((_, i) => parts.slice(0, parts.length - i).join('/'))
  }
  const labels = realm.split('.')
  return labels.map((_, i) => labels.slice(i).join('.'))
}

/** More realms than any ticket went through. */
const MAX_TRANSITED = 64

/** Between whom a ticket went through other realms. */
export interface Endpoints {
  /** The client's realm. */
  readonly client: string
  /** The realm of the service, or of the KDC that reads. */
  readonly server: string
}

/**
 * The realms that a ticket went through (RFC 4120 §3.3.3.2, DOMAIN-X500-COMPRESS); undefined for another encoding, text that
 * is none, and more than 64.
 */
export function decodeTransited(
  { trType, contents }: TransitedEncoding,
  { client, server }: Endpoints,
): readonly string[] | undefined {
  if (contents.length === 0) return []
  if (trType !== transitedTypes.domainX500Compress) return undefined
  const fields = subfields(contents)
  if (!fields || fields.length > MAX_TRANSITED) return undefined
  const realms: string[] = []
  let previous = ''
  let gap = false
  for (const [i, field] of fields.entries()) {
    if (field.text === '') {
      // Everything between the neighbours; "," alone is two of these between the endpoints.
      gap = true
      continue
    }
    const realm = expanded(field, previous)
    if (gap) realms.push(...hierarchy(i === 0 || previous === '' ? client : previous, realm))
    realms.push(realm)
    previous = realm
    gap = false
  }
  if (gap) realms.push(...hierarchy(previous || client, server))
  const distinct = [...new Set(realms)].filter((realm) => realm !== client && realm !== server)
  return distinct.length > MAX_TRANSITED ? undefined : distinct
}

/** The inverse of {@link decodeTransited}. */
export function encodeTransited(realms: readonly string[]): TransitedEncoding {
  let previous = ''
  const fields = realms.map((realm) => {
    const short = abbreviated(realm, previous)
    previous = realm
    return short
  })
  return { trType: transitedTypes.domainX500Compress, contents: utf8(fields.join(',')) }
}

/**
 * Whether a ticket came by realms that are on the way from its client to `server`: as configured, or by the tree of names
 * (RFC 4120 §2.7). One that came straight always did.
 */
export function mayTransit(
  env: Pick<Env, 'paths'>,
  transited: TransitedEncoding,
  { client, server }: Endpoints,
): boolean {
  const realms = decodeTransited(transited, { client, server })
  if (realms === undefined || realms.length === 0) return realms !== undefined
  const way = realmPath(env, client, server)
  return realms.every((realm) => way.includes(realm))
}

interface Subfield {
  readonly text: string
  /** How it is joined to the one before. */
  readonly joined: 'no' | 'in front' | 'behind'
}

/** Subfields, out of their quotes; undefined for what is no text, or ends in a quote. */
function subfields(contents: Uint8Array): readonly Subfield[] | undefined {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(contents)
  } catch {
    return undefined
  }
  const raw = split(text)
  return raw?.map((part) => {
    const quotedEnd = /\\\.$/.test(part)
    const joined = part.startsWith('/') ? 'behind' : part.endsWith('.') && !quotedEnd ? 'in front' : 'no'
    return { text: part.replace(/^ (?=\/)/, '').replace(/\\([\s\S])/g, '$1'), joined }
  })
}

/** At commas that are not quoted. */
function split(text: string): readonly string[] | undefined {
  const parts: string[] = []
  let part = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ',') {
      parts.push(part)
      part = ''
      continue
    }
    if (text[i] === '\\') {
      part += text[i++]
      if (i === text.length) return undefined
    }
    part += text[i]
  }
  return [...parts, part]
}

function expanded({ text, joined }: Subfield, previous: string): string {
  if (joined === 'behind') return previous + text
  return joined === 'in front' && previous !== '' ? text + previous : text
}

function abbreviated(realm: string, previous: string): string {
  if (previous !== '' && realm.endsWith(`.${previous}`)) return quoted(realm.slice(0, -previous.length - 1), '.')
  if (previous !== '' && realm.startsWith(`${previous}/`)) return quoted(realm.slice(previous.length))
  return realm.startsWith('/') ? (previous === '' ? quoted(realm) : ` ${quoted(realm)}`) : quoted(realm)
}

const quoted = (text: string, end = ''): string =>
  text
    .replace(/[,\\]/g, '\\$&')
    .replace(/^ /, '\\ ')
    .replace(/\.$/, end ? '.' : '\\.') + end
