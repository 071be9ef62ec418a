import assert from 'node:assert/strict'
import { startRealm } from 'kerb/kdc'
import { after, before, it } from 'mocha'

let realm
before(async () => {
  realm = await startRealm({ users: { alice: 'secret' } })
})
after(() => realm[Symbol.asyncDispose]())

it('logs alice in', async () => {
  const login = await realm.kerberos().login('alice', { password: 'secret' })
  assert.equal(login.ticket.client.realm, 'LAB.TEST')
})

it('says that the KDC is silent', async () => {
  const silent = realm.faults.set({ drop: true })
  const kerberos = realm.kerberos({ attemptTimeout: 100, deadline: 300 })
  await assert.rejects(kerberos.login('alice', { password: 'secret' }), { name: 'TransportError' })
  silent[Symbol.dispose]()
})
