/** Files that MIT krb5 wrote: vectors/generated_files.json. */
import { describe, expect, test } from 'vitest'
import { OctetReader, OctetWriter } from '../../src/bytes/cursor.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { formatPrincipal } from '../../src/krb5/names.ts'
import { configOf } from '../../src/store/cacheconfig.ts'
import { formatCcache, locateEntries, parseCcache } from '../../src/store/ccache.ts'
import { credentialOf, entryOf, formatCcacheEntry, removedEntry } from '../../src/store/ccacheentry.ts'
import { StoreError } from '../../src/store/error.ts'
import { formatKeytab, keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { vectors } from '../support/vectors.ts'

interface PrincipalFacts {
  readonly realm: string
  readonly components: readonly string[]
}
interface Facts {
  readonly version: number
  readonly default_principal: PrincipalFacts
  readonly credentials: readonly {
    readonly client: PrincipalFacts
    readonly server: PrincipalFacts
    readonly enctype: number
    readonly key: string
    readonly authtime: number
    readonly starttime: number
    readonly endtime: number
    readonly renew_till: number
    readonly ticket: string
    readonly is_config: boolean
  }[]
}
interface KeytabFacts {
  readonly entries: readonly {
    readonly principal: string
    readonly timestamp: number
    readonly kvno: number
    readonly enctype: number
    readonly key: string
  }[]
}
const { ccaches, keytabs } = vectors<{
  ccaches: readonly { readonly id: string; readonly ccache: string; readonly facts: Facts }[]
  keytabs: readonly { readonly id: string; readonly keytab: string; readonly facts: KeytabFacts }[]
}>('generated_files')

const refusal = (read: () => unknown) => {
  try {
    return read()
  } catch (error) {
    return error
  }
}

describe.each(ccaches)('ccache of $id', ({ ccache, facts }) => {
  const octets = fromHex(ccache)

  test('holds what MIT says it holds', () => {
    const { version, principal, entries } = parseCcache(octets)
    expect([version, principal.realm, principal.components]).toEqual([
      facts.version,
      facts.default_principal.realm,
      facts.default_principal.components,
    ])
    const seen = entries.map((entry) => ({
      client: { realm: entry.client.realm, components: entry.client.components },
      server: { realm: entry.server.realm, components: entry.server.components },
      enctype: entry.key.keytype,
      key: toHex(entry.key.octets()),
      authtime: entry.authtime,
      starttime: entry.starttime,
      endtime: entry.endtime,
      renew_till: entry.renewTill,
      ticket: toHex(entry.ticket),
      is_config: configOf(entry) !== undefined,
    }))
    expect(seen).toMatchObject(
      facts.credentials.map(({ client, server, ...rest }) => ({
        client: { realm: client.realm, components: client.components },
        server: { realm: server.realm, components: server.components },
        ...{
          enctype: rest.enctype,
          key: rest.key,
          authtime: rest.authtime,
          starttime: rest.starttime,
          endtime: rest.endtime,
        },
        ...{ renew_till: rest.renew_till, ticket: rest.ticket, is_config: rest.is_config },
      })),
    )
  })

  if (facts.version === 4)
    test('is written again to the octet', () => expect(toHex(formatCcache(parseCcache(octets)))).toBe(ccache))

  test('gives tickets to work with, and takes them back', () => {
    const { entries } = parseCcache(octets)
    const tickets = entries.flatMap((entry) => credentialOf(entry, enctypes) ?? [])
    expect(tickets.length).toBe(
      facts.credentials.filter((c) => !c.is_config && enctypes.some(({ id }) => id === c.enctype)).length,
    )
    for (const ticket of tickets) {
      const again = credentialOf(entryOf(ticket), enctypes)!
      expect(again.key.equals(ticket.key)).toBe(true)
      expect({ ...again, key: 0 }).toEqual({ ...ticket, key: 0 })
    }
  })

  test('cut anywhere or with any octet changed, is read or refused with a StoreError', () => {
    for (let i = 0; i < octets.length; i++) {
      const cut = refusal(() => parseCcache(octets.subarray(0, i)))
      if (cut instanceof Error) expect(cut).toBeInstanceOf(StoreError)
      const changed = refusal(() => parseCcache(octets.map((octet, at) => (at === i ? octet ^ 0xff : octet))))
      if (changed instanceof Error) expect(changed).toBeInstanceOf(StoreError)
    }
  })
})

/** A cache of version 1 or 2 as a host of the other byte order would have written it: every number the other way round. */
function otherByteOrder(octets: Uint8Array): Uint8Array {
  const version = octets[1]!
  const from = new OctetReader(octets, { littleEndian: true })
  const to = new OctetWriter().octets(from.octets(2))
  const number = () => {
    const value = from.uint32()
    to.uint32(value)
    return value
  }
  const data = () => to.octets(from.octets(number()))
  const list = () => {
    for (let left = number(); left > 0; left--) {
      to.uint16(from.uint16())
      data()
    }
  }
  const principal = () => {
    if (version > 1) number()
    for (let left = number() + (version > 1 ? 1 : 0); left > 0; left--) data()
  }
  principal()
  while (from.remaining > 0) {
    principal()
    principal()
    to.uint16(from.uint16())
    data()
    for (let times = 0; times < 4; times++) number()
    to.uint8(from.uint8())
    number()
    list()
    list()
    data()
    data()
  }
  return to.finish()
}

test.each(ccaches.filter(({ facts }) => facts.version < 3))(
  'a ccache of $id reads the same from a host of the other byte order',
  ({ ccache }) => {
    const octets = fromHex(ccache)
    const other = otherByteOrder(octets)
    expect(toHex(other)).not.toBe(ccache)
    const seen = (of: Uint8Array) => {
      const { entries, ...rest } = parseCcache(of)
      return { ...rest, entries: entries.map(({ key, ...entry }) => ({ ...entry, key: toHex(key.octets()) })) }
    }
    expect(seen(other)).toEqual(seen(octets))
  },
)

test('an entry that was removed in place is passed over, whether a ticket or configuration', () => {
  const octets = fromHex(ccaches.find(({ facts }) => facts.version === 4)!.ccache)
  const { located } = locateEntries(octets)
  for (const { entry, offset } of located) {
    const changed = octets.slice()
    const mark = formatCcacheEntry(removedEntry(entry))
    expect(mark.length).toBe(formatCcacheEntry(entry).length)
    changed.set(mark, offset)
    expect(parseCcache(changed).entries.length).toBe(located.length - 1)
    expect(parseCcache(changed).entries.map(({ server }) => server)).toEqual(
      located.flatMap((other) => (other.offset === offset ? [] : [other.entry.server])),
    )
  }
})

describe.each(keytabs)('keytab $id', ({ keytab, facts }) => {
  const octets = fromHex(keytab)

  test('holds what MIT says it holds', () => {
    const { entries } = parseKeytab(octets)
    expect(
      entries.map(({ principal, timestamp, kvno, key }) => ({
        ...{ principal: formatPrincipal(principal), timestamp, kvno, enctype: key.keytype, key: toHex(key.octets()) },
      })),
    ).toEqual(
      facts.entries.map(({ principal, timestamp, kvno, enctype, key }) => ({
        principal,
        timestamp,
        kvno,
        enctype,
        key,
      })),
    )
  })

  test('is written again with the same entries, and no key shows', () => {
    const keytab = parseKeytab(octets)
    const again = parseKeytab(formatKeytab(keytab.entries))
    expect(again.entries.map(({ key }) => toHex(key.octets()))).toEqual(
      keytab.entries.map(({ key }) => toHex(key.octets())),
    )
    for (const { key } of facts.entries) expect(JSON.stringify(keytab)).not.toContain(key)
  })

  test('cut anywhere or with any octet changed, is read or refused with a StoreError', () => {
    for (let i = 0; i < octets.length; i++)
      for (const read of [
        () => parseKeytab(octets.subarray(0, i)),
        () => parseKeytab(octets.map((octet, at) => (at === i ? octet ^ 0xff : octet))),
      ]) {
        const outcome = refusal(read)
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(StoreError)
      }
  })
})

test('keys are picked by name, the newest first, of allowed enctypes alone', () => {
  const keytab = parseKeytab(fromHex(keytabs[0]!.keytab))
  expect(keysOf(keytab, enctypes).map(({ kvno }) => kvno)).toEqual([300, 1])
  const user = { type: 1, components: ['user'], realm: '' }
  expect(keysOf(keytab, enctypes, user).map(({ key }) => key.enctype.id)).toEqual([19])
  expect(keysOf(keytab, enctypes, { ...user, realm: 'ELSEWHERE' })).toEqual([])
})

test('a keytab of version 1 reads the same in both byte orders', () => {
  const id = ({ id }: { readonly id: string }) => /1/.test(id)
  const { keytab, facts } = keytabs.find(id)!
  const from = new OctetReader(fromHex(keytab), { littleEndian: true })
  const to = new OctetWriter().octets(from.octets(2))
  while (from.remaining > 0) {
    to.uint32(from.uint32())
    const names = from.uint16()
    to.uint16(names)
    const data = () => {
      const size = from.uint16()
      to.uint16(size).octets(from.octets(size))
    }
    for (let left = names; left > 0; left--) data()
    to.uint32(from.uint32()).uint8(from.uint8()).uint16(from.uint16())
    data()
  }
  expect(parseKeytab(to.finish()).entries.map(({ key }) => toHex(key.octets()))).toEqual(
    facts.entries.map(({ key }) => key),
  )
})
