/** A user without a keytab who accepts contexts: user-to-user tickets (RFC 4120 §2.9.2), by the facade. */
import { expect, test } from 'vitest'
import { SecurityContext } from '../../../src/gss/context.ts'
import { contextChecksum } from '../../../src/gss/krb5/checksum.ts'
import { frame } from '../../../src/gss/krb5/framing.ts'
import { Name } from '../../../src/gss/name.ts'
import { initiateAp } from '../../../src/krb5/exchanges/ap.ts'
import { tgsExchange } from '../../../src/krb5/exchanges/tgs.ts'
import { startRealm } from '../../../src/node/realm.ts'

test('a context is accepted with the ticket-granting ticket of a user, where that is said', async () => {
  await using realm = await startRealm({
    users: { alice: 'alice-pw', desktop: { password: 'x', userToUserOnly: true } },
  })
  const kerberos = realm.kerberos()
  using alice = await kerberos.login('alice', { password: 'alice-pw' })
  using peer = await kerberos.login('desktop', { password: 'x' })
  await peer.save('MEMORY:desktop')
  const asked = { tgt: alice.ticket, service: peer.principal, secondTicket: peer.ticket.ticket }
  const { credential } = await kerberos.run(tgsExchange(asked, kerberos.env))
  const token = () => {
    using ap = initiateAp({ credential, mutual: false, checksum: () => contextChecksum([], undefined) }, kerberos.env)
    return frame('apReq', ap.message)
  }
  const store = { ccache: 'MEMORY:desktop' }
  using creds = await kerberos.acquire({ usage: 'both', store, userToUser: true })
  const acceptor = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
  await acceptor.step(token())
  expect([acceptor.initiatorName.text, acceptor.targetName.text]).toEqual(['alice@LAB.TEST', 'desktop@LAB.TEST'])

  using unsaid = await kerberos.acquire({ usage: 'both', store: { ...store, keytab: realm.keytab('desktop') } })
  const another = new SecurityContext({ usage: 'accept', creds: unsaid, mech: kerberos.krb5 })
  await expect(another.step(token())).rejects.toMatchObject({ minor: 'KRB_AP_ERR_NOKEY' })
})

test('a context is begun with the ticket-granting ticket of the user to reach, by SPNEGO as well', async () => {
  await using realm = await startRealm({
    users: { alice: 'alice-pw', desktop: { password: 'x', userToUserOnly: true } },
  })
  const kerberos = realm.kerberos()
  using login = await kerberos.login('alice', { password: 'alice-pw' })
  await login.save('MEMORY:alice')
  using peer = await kerberos.login('desktop', { password: 'x' })
  await peer.save('MEMORY:desktop')
  const name = Name.user('desktop')
  const plain = { usage: 'initiate', store: { ccache: 'MEMORY:alice' } } as const
  for (const mech of [kerberos.krb5, kerberos.spnego]) {
    using initiating = await kerberos.acquire({ ...plain, peerTicket: peer.ticket.ticket })
    using accepting = await kerberos.acquire({ store: { ccache: 'MEMORY:desktop' }, userToUser: true })
    const initiator = new SecurityContext({ usage: 'initiate', name, creds: initiating, mech })
    const acceptor = new SecurityContext({ usage: 'accept', creds: accepting, mech })
    for (let token: Uint8Array | undefined = await initiator.step(); token && !initiator.complete; ) {
      const reply = await acceptor.step(token)
      token = reply && (await initiator.step(reply))
    }
    expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
    const { message } = initiator.wrap(Uint8Array.of(1, 2, 3), true)
    expect(acceptor.unwrap(message).message).toEqual(Uint8Array.of(1, 2, 3))
  }
  using without = await kerberos.acquire(plain)
  const refused = new SecurityContext({ usage: 'initiate', name, creds: without, mech: kerberos.krb5 })
  await expect(refused.step()).rejects.toMatchObject({ minor: 'KDC_ERR_MUST_USE_USER2USER' })
})
