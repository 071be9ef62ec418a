/** Files that MIT krb5 wrote: vectors/generated_files.json. */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { formatPrincipal } from '../../src/krb5/names.ts'
import { configOf, credentialOf, entryOf, formatCcache, parseCcache } from '../../src/store/ccache.ts'
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
