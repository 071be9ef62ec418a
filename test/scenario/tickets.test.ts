/** Tickets as they are asked for: several at once, and for other addresses (RFC 4120 §2.5, §2.6, §3.3.3). */
import { Name, SecurityContext } from 'kerb/gss'
import { type Realm, type RealmOptions, startRealm } from 'kerb/kdc'
import { tgsExchange } from 'kerb/krb5'
import { describe, expect, test } from 'vitest'

const start = (more: Partial<RealmOptions> = {}): Promise<Realm> =>
  startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/www.lab.test', 'db/db.lab.test'], ...more })
const here = { addrType: 2, address: Uint8Array.of(127, 0, 0, 1) }
const elsewhere = { addrType: 2, address: Uint8Array.of(10, 0, 0, 1) }

describe('contexts that begin at the same time', () => {
  const initiate = (realm: Realm) => {
    const kerberos = realm.kerberos()
    return async (service: string, creds: Awaited<ReturnType<typeof kerberos.login>>['credentials']) => {
      const context = new SecurityContext({
        usage: 'initiate',
        name: Name.hostbased(service),
        creds,
        mech: kerberos.krb5,
      })
      return context.step()
    }
  }

  test('send one TGS-REQ for one ticket', async () => {
    const seen: string[] = []
    await using realm = await start({ log: ({ kind, service }) => void (kind === 'TGS-REQ' && seen.push(service)) })
    using alice = await realm.kerberos().login('alice', { password: 'alice-pw' })
    const begin = initiate(realm)
    const services = ['HTTP@www.lab.test', 'HTTP@www.lab.test', 'db@db.lab.test', 'HTTP@www.lab.test']
    const tokens = await Promise.all(services.map((service) => begin(service, alice.credentials)))
    expect(tokens.every((token) => token instanceof Uint8Array)).toBe(true)
    expect(seen.sort()).toEqual(['HTTP/www.lab.test@LAB.TEST', 'db/db.lab.test@LAB.TEST'])
  })

  test('do not wait for one that got none: each hears of its own refusal', async () => {
    await using realm = await start()
    using alice = await realm.kerberos().login('alice', { password: 'alice-pw' })
    using _ = realm.faults.set({ error: 'KDC_ERR_POLICY', kind: 'TGS-REQ', times: 1 })
    const begin = initiate(realm)
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => begin('HTTP@www.lab.test', alice.credentials)))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })
})

describe('a ticket with addresses', () => {
  test('buys others from there alone: the KDC looks where requests come from', async () => {
    await using realm = await start()
    const kerberos = realm.kerberos()
    const service = { type: 2, components: ['HTTP', 'www.lab.test'], realm: 'LAB.TEST' }
    const buy = async (addresses: readonly (typeof here)[]) => {
      using login = await kerberos.login('alice', { password: 'alice-pw', addresses })
      return (await kerberos.run(tgsExchange({ tgt: login.ticket, service }, kerberos.env))).credential.addresses
    }
    expect(await buy([elsewhere, here])).toEqual([elsewhere, here])
    await expect(buy([elsewhere])).rejects.toMatchObject({ code: 'KRB_AP_ERR_BADADDR' })
  })

  test.each(['forwarded', 'proxy'] as const)('is had from one with others: %s', async (option) => {
    await using realm = await start()
    const kerberos = realm.kerberos()
    using login = await kerberos.login('alice', {
      ...{ password: 'alice-pw', forwardable: true, proxiable: true },
      addresses: [here],
    })
    const service =
      option === 'proxy' ? { type: 2, components: ['db', 'db.lab.test'], realm: 'LAB.TEST' } : login.ticket.server
    const asked = { tgt: login.ticket, service, options: [option], addresses: [elsewhere] }
    const { credential } = await kerberos.run(tgsExchange(asked, kerberos.env))
    expect([credential.flags.has(option), credential.addresses]).toEqual([true, [elsewhere]])
    if (option === 'proxy') return
    const again = tgsExchange({ tgt: credential, service }, kerberos.env)
    await expect(kerberos.run(again)).rejects.toMatchObject({ code: 'KRB_AP_ERR_BADADDR' })
  })
})
