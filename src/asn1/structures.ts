import { concat } from '../bytes/index.ts'
import type { Codec } from './codec.ts'
import { children, type Element, element } from './der.ts'
import { Asn1Error, within } from './error.ts'

const CONTEXT = 0xa0
const APPLICATION = 0x60
const SEQUENCE = 0x30

interface Required<T> {
  readonly presence: 'required'
  readonly tag: number
  readonly codec: Codec<T>
}
interface Optional<T> {
  readonly presence: 'optional'
  readonly tag: number
  readonly codec: Codec<T>
}
interface Fixed {
  readonly presence: 'fixed'
  readonly tag: number
  readonly codec: Codec<number>
  readonly value: number
}
type Member = Required<unknown> | Optional<unknown> | Fixed

/** `name [tag] Type` */
export function field<T>(tag: number, codec: Codec<T>): Required<T> {
  return { presence: 'required', tag, codec }
}

/** `name [tag] Type OPTIONAL` */
export function optional<T>(tag: number, codec: Codec<T>): Optional<T> {
  return { presence: 'optional', tag, codec }
}

/** `name [tag] INTEGER (value)`: always sent, always checked, never part of the decoded value. */
export function fixed(tag: number, codec: Codec<number>, value: number): Fixed {
  return { presence: 'fixed', tag, codec, value }
}

type Simplify<T> = { [K in keyof T]: T[K] }

/** What a SEQUENCE of these members holds: fixed ones vanish, optional ones may be absent. */
export type SequenceValue<M> = Simplify<
  {
    readonly [K in keyof M as M[K] extends Required<unknown> ? K : never]: M[K] extends Required<infer T> ? T : never
  } & {
    readonly [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: M[K] extends Optional<infer T>
      ? T | undefined
      : never
  }
>

/**
 * SEQUENCE whose members carry explicit context tags. Members after the last known one are skipped:
 * RFC 4120 types grow that way.
 */
export function sequence<const M extends Readonly<Record<string, Member>>>(
  name: string,
  members: M,
): Codec<SequenceValue<M>> {
  const entries = Object.entries(members)
  return {
    name,
    shape: { kind: 'sequence', members },
    starts: (identifier) => identifier === SEQUENCE,
    write(value) {
      const given = value as Record<string, unknown>
      const parts = entries.map(([key, member]) => {
        const content = member.presence === 'fixed' ? member.value : given[key]
        if (content === undefined && member.presence === 'optional') return new Uint8Array()
        return element(CONTEXT | member.tag, (member.codec as Codec<unknown>).write(content))
      })
      return element(SEQUENCE, concat(...parts))
    },
    read(found) {
      expect(found, SEQUENCE, 'SEQUENCE')
      const present = children(found.contents)
      const value: Record<string, unknown> = {}
      for (const [key, member] of entries) {
        within(key, () => {
          if (present[0]?.identifier !== (CONTEXT | member.tag)) {
            if (member.presence === 'optional') return
            throw new Asn1Error('missing')
          }
          const content = member.codec.read(only(present.shift()!))
          if (member.presence !== 'fixed') value[key] = content
          else if (content !== member.value) throw new Asn1Error(`expected ${member.value}, found ${String(content)}`)
        })
      }
      return value as SequenceValue<M>
    },
  }
}

/** SEQUENCE OF */
export function sequenceOf<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    name: `SEQUENCE OF ${item.name}`,
    shape: { kind: 'sequenceOf', of: item },
    starts: (identifier) => identifier === SEQUENCE,
    write: (values) => element(SEQUENCE, concat(...values.map((value) => item.write(value)))),
    read(found) {
      expect(found, SEQUENCE, 'SEQUENCE OF')
      return children(found.contents).map((child, i) => within(`[${i}]`, () => item.read(child)))
    },
  }
}

/** `[APPLICATION tag] Type` */
export function application<T>(tags: number | number[], codec: Codec<T>): Codec<T> {
  const list = typeof tags === 'number' ? [tags] : tags
  return {
    name: codec.name,
    shape: { kind: 'explicit', of: codec },
    starts: (identifier) => list.some((tag) => identifier === (APPLICATION | tag)),
    write: (value) => element(APPLICATION | list[0]!, codec.write(value)),
    read(found) {
      if (!list.some((tag) => found.identifier === (APPLICATION | tag)))
        expect(found, APPLICATION | list[0]!, `[APPLICATION ${list[0]}]`)
      return codec.read(only(found))
    },
  }
}

/** A value together with the very octets it was read from: what a checksum must cover. */
export interface Encoded<T> {
  readonly value: T
  readonly der: Uint8Array
}

/** Keeps the octets of `codec` beside its value; writes the octets back untouched. */
export function encoded<T>(codec: Codec<T>): Codec<Encoded<T>> {
  return {
    name: codec.name,
    shape: codec.shape,
    starts: (identifier) => codec.starts(identifier),
    write: ({ der }) => der,
    read: (found) => ({ value: codec.read(found), der: found.der }),
  }
}

type Alternatives = Readonly<Record<string, Codec<unknown>>>

/** One named alternative and its value: `{ kind: 'asRep', value: ... }`. */
export type ChoiceValue<A> = {
  [K in keyof A]: { readonly kind: K; readonly value: A[K] extends Codec<infer T> ? T : never }
}[keyof A]

/** CHOICE, told apart by the first identifier octet. */
export function choice<const A extends Alternatives>(name: string, alternatives: A): Codec<ChoiceValue<A>> {
  const entries = Object.entries(alternatives)
  return {
    name,
    shape: { kind: 'choice', alternatives },
    starts: (identifier) => entries.some(([, codec]) => codec.starts(identifier)),
    write: ({ kind, value }) => alternatives[kind]!.write(value),
    read(found) {
      const entry = entries.find(([, codec]) => codec.starts(found.identifier))
      if (!entry) throw new Asn1Error(`no alternative has tag 0x${found.identifier.toString(16)}`)
      const [kind, codec] = entry
      return { kind, value: codec.read(found) } as ChoiceValue<A>
    },
  }
}

/** The same wire type seen as another TypeScript type. */
export function mapped<T, U>(name: string, codec: Codec<T>, from: (wire: T) => U, to: (value: U) => T): Codec<U> {
  return {
    name,
    shape: codec.shape,
    starts: (identifier) => codec.starts(identifier),
    write: (value) => codec.write(to(value)),
    read: (found) => from(codec.read(found)),
  }
}

function only(outer: Element): Element {
  const [inner, ...rest] = children(outer.contents)
  if (!inner || rest.length > 0) throw new Asn1Error('an explicit tag holds exactly one value')
  return inner
}

function expect(found: Element, identifier: number, name: string): void {
  if (found.identifier !== identifier)
    throw new Asn1Error(`expected ${name}, found tag 0x${found.identifier.toString(16)}`)
}
