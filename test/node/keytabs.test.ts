/** Keytabs as files and in memory. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { type KeytabStore, Keytabs } from '../../src/node/keytabs.ts'
import { entriesFromPassword } from '../../src/store/keytab.ts'
import { vectors } from '../support/vectors.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-keytabs-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, `keytab${files++}`)

const alice = parsePrincipal('alice@LAB.TEST')
const keys = (kvno: number, password = 'secret') =>
  entriesFromPassword(alice, password, { kvno, timestamp: 9, enctypes: enctypes.slice(0, 2) })
const versions = async (store: KeytabStore) => (await store.read()).entries.map(({ kvno, key }) => [kvno, key.keytype])
const pairs = (...kvnos: number[]) => kvnos.flatMap((kvno) => enctypes.slice(0, 2).map(({ id }) => [kvno, id]))

describe.each([
  ['FILE', () => new Keytabs().resolve(`FILE:${fresh()}`)],
  ['WRFILE', () => new Keytabs().resolve(`WRFILE:${fresh()}`)],
  ['MEMORY', () => new Keytabs().resolve('MEMORY:one')],
])('a %s keytab', (_, make) => {
  test('is made by the first key, takes more, and gives them up', async () => {
    const store = make()
    await expect(store.read()).rejects.toMatchObject({ code: 'NO_KEY', message: /no keytab/ })
    await expect(store.remove(() => true)).rejects.toMatchObject({ code: 'NO_KEY' })
    await store.add(...keys(1))
    await store.add(...keys(300))
    expect(await versions(store)).toEqual(pairs(1, 300))
    expect(await store.remove(({ kvno }) => kvno === 1)).toBe(2)
    expect(await versions(store)).toEqual(pairs(300))
  })

  test('has each version of a key once', async () => {
    const store = make()
    await store.add(...keys(1))
    const before = (await store.read()).entries[0]!.key.octets()
    await store.add(...keys(1, 'other'))
    expect(await versions(store)).toEqual(pairs(1))
    expect((await store.read()).entries[0]!.key.octets()).not.toEqual(before)
  })
})

test('a new keytab is for its owner alone, and an old one keeps its mode and place', async () => {
  const path = fresh()
  const store = new Keytabs().resolve(path)
  await store.add(...keys(1))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  chmodSync(path, 0o640)
  const { ino } = statSync(path)
  await store.add(...keys(2))
  await store.remove(({ kvno }) => kvno === 1)
  expect([statSync(path).ino, statSync(path).mode & 0o777]).toEqual([ino, 0o640])
})

test('holes that others made stay, and a removed key is overwritten', async () => {
  const { keytabs } = vectors<{ keytabs: readonly { readonly id: string; readonly keytab: string }[] }>(
    'generated_files',
  )
  const path = fresh()
  const octets = fromHex(keytabs.find(({ id }) => id === 'kt2hole')!.keytab)
  writeFileSync(path, octets)
  const store = new Keytabs().resolve(path)
  const [first] = (await store.read()).entries
  await store.add(...keys(7))
  expect(toHex(readFileSync(path).subarray(0, octets.length))).toBe(toHex(octets))
  await store.remove(({ key }) => toHex(key.octets()) === toHex(first!.key.octets()))
  expect(toHex(readFileSync(path))).not.toContain(toHex(first!.key.octets()))
  expect(await versions(store)).toEqual([[2, 23], ...pairs(7)])
})

test('what lies behind a size of 0 does not hide new keys', async () => {
  const path = fresh()
  const store = new Keytabs().resolve(path)
  await store.add(...keys(1))
  writeFileSync(path, concat(readFileSync(path), new Uint8Array(8)))
  await store.add(...keys(2))
  expect(await versions(store)).toEqual(pairs(1, 2))
})

test('many that add keys at the same moment lose none', async () => {
  const store = new Keytabs().resolve(fresh())
  await store.add(...keys(1))
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.add(...keys(i + 2))))
  expect((await versions(store)).length).toBe(42)
})

test.each(['SRVTAB:/x', 'KDB:', 'ANY:FILE:/a,FILE:/b', 'KEYRING:x'])('%s is refused with the way out', (name) =>
  expect(() => new Keytabs().resolve(name)).toThrow(
    expect.objectContaining({ code: 'NAME_REFUSED', message: expect.stringMatching(/FILE:path or MEMORY:name/) }),
  ),
)
