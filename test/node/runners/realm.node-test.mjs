import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startRealm } from 'kerb/kdc'

let realm
before(async () => {
  realm = await startRealm({ users: { alice: 'secret' } })
})
after(() => realm[Symbol.asyncDispose]())

test('alice logs in', async () => {
  const login = await realm.kerberos().login('alice', { password: 'secret' })
  assert.equal(login.ticket.client.realm, 'LAB.TEST')
})

test('a KDC that is out of order is told from a wrong password', async () => {
  const broken = realm.faults.set({ error: 'KDC_ERR_SVC_UNAVAILABLE' })
  await assert.rejects(realm.kerberos().login('alice', { password: 'secret' }), { code: 'KDC_ERR_SVC_UNAVAILABLE' })
  broken[Symbol.dispose]()
  await assert.rejects(realm.kerberos().login('alice', { password: 'guess' }), { code: 'KDC_ERR_PREAUTH_FAILED' })
})
