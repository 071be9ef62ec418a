/** Keys of a GSS-Proxy service are read anew when the keytab changes, and wiped when they are used no more. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Krb5Credential } from '../../src/gss/krb5/credential.ts'
import { Name } from '../../src/gss/name.ts'
import { mechanismOids } from '../../src/gss/oids.ts'
import { KerberosService } from '../../src/node/gssproxy/service.ts'
import { startRealm } from '../../src/node/realm.ts'

test('a keytab is read once, and again when it was replaced; keys in use outlast it', async () => {
  await using realm = await startRealm({ services: ['HTTP/localhost', 'ftp/localhost'] })
  const path = join(mkdtempSync(join(tmpdir(), 'gssproxy-')), 'keytab')
  writeFileSync(path, realm.keytab('HTTP/localhost', 'ftp/localhost'))
  const kerberos = realm.kerberos()
  const read = vi.spyOn(kerberos, 'keys')
  const service = new KerberosService(kerberos, { name: 'web', keytab: `FILE:${path}` })
  const acquire = async (name?: string) =>
    (await service.acquire('accept', name === undefined ? undefined : Name.hostbased(name))).credentials
  const element = (credentials: Awaited<ReturnType<typeof acquire>>) => credentials.element(mechanismOids.krb5)
  const [first, second] = [await acquire(), await acquire()]
  expect([element(first) === element(second), read.mock.calls.length]).toEqual([true, 1])
  expect(element(await acquire('ftp@localhost'))).not.toBe(element(first))

  writeFileSync(`${path}.new`, realm.keytab('HTTP/localhost'))
  renameSync(`${path}.new`, path)
  const wiped = vi.spyOn(Krb5Credential.prototype, Symbol.dispose)
  const third = await acquire()
  expect(element(third)).not.toBe(element(first))
  await expect(acquire('ftp@localhost')).rejects.toMatchObject({ major: 'GSS_S_NO_CRED' })
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  expect(wiped.mock.contexts).not.toContain(element(second))
  second[Symbol.dispose]()
  expect(wiped.mock.contexts).toContain(element(second))
  wiped.mockRestore()
})
