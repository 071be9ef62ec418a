/** Users of Samba's domain at our web server: the SIDs that Samba gives them, and who may come in by them. */
import { join } from 'node:path'
import { createNegotiateFetch } from 'kerb/http'
import { beforeAll, expect, test } from 'vitest'
import { keytab, lab, peer, program, run } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { nodeFetch } from '../support/nodefetch.ts'
import { certificate } from '../support/tls.ts'
import { openWebsite, type WebsiteOptions } from '../support/website.ts'

/** Authentication Authority Asserted Identity: how somebody logged in (MS-DTYP §2.4.2.4). */
const byPassword = 'S-1-18-1'

peer(['samba', 'curl'], 'users of Active Directory at our web server', () => {
  let known: Readonly<Record<string, { readonly user: string; readonly groups: readonly string[] }>>
  beforeAll(async () => {
    const conf = join(lab.samba.dir, 'smb.conf')
    const { stdout, stderr } = await run('/usr/bin/python3', [program('samba_groups.py'), conf, 'alice', 'bob'])
    expect(stderr).toBe('')
    known = JSON.parse(stdout) as typeof known
  })

  const openSite = (options: WebsiteOptions = {}) =>
    openWebsite({
      ...{ kerberos: kerberosOf(lab.samba.env), store: { keytab: keytab('HTTP', lab.samba) }, tls: false },
      ...options,
    })
  async function curl(user: string, ...args: readonly string[]) {
    const env = freshEnv(lab.samba.env)
    expect((await run('kinit', [user], { env, input: `${user}-pw\n` })).code).toBe(0)
    return (await run('curl', ['-s', '--negotiate', '-u', ':', '-w', ' %{http_code}', ...args], { env })).stdout
  }
  async function fetchAs(user: string) {
    const kerberos = kerberosOf(lab.samba.env)
    const { credentials } = await kerberos.login(user, { password: `${user}-pw` })
    return createNegotiateFetch({ mech: kerberos.spnego, credentials, fetch: nodeFetch({ ca: certificate }) })
  }
  /** What a server is to know of a user. */
  const wanted = (user: string) => ({ user: known[user]!.user, groups: [...known[user]!.groups, byPassword].sort() })
  const shown = ({ attributes }: { readonly attributes: Awaited<ReturnType<typeof openWebsite>>['attributes'] }) =>
    attributes.map((each) => each && { user: each.user, groups: [...each.groups].sort() })

  test('are known by the SID and the groups that Samba has, nested ones as well, by curl and by our fetch', async () => {
    using site = await openSite()
    for (const user of ['alice', 'bob']) {
      expect(await curl(user, site.url)).toBe(`Hello, ${user}@AD.TEST 200`)
      expect(await (await (await fetchAs(user))(site.url)).text()).toBe(`Hello, ${user}@AD.TEST`)
    }
    expect(shown(site)).toEqual(['alice', 'alice', 'bob', 'bob'].map(wanted))
    // alice is in engineers, and so is bob, as a member of leads: two and three groups with Domain Users
    expect(Object.values(known).map(({ groups }) => groups.length)).toEqual([2, 3])
  })

  test('are let in by a SID, of theirs or of a group; the others get 403 and know who the server is', async () => {
    const { alice, bob } = known
    const leads = bob!.groups.filter((sid) => !alice!.groups.includes(sid))
    expect(leads).toHaveLength(1)
    using forLeads = await openSite({ authorize: ({ attributes }) => attributes!.groups.includes(leads[0]!) })
    expect(await curl('bob', forLeads.url)).toBe('Hello, bob@AD.TEST 200')
    expect(await curl('alice', forLeads.url)).toBe(' 403')
    expect((await (await fetchAs('alice'))(forLeads.url)).status).toBe(403)
    expect(forLeads.reasons).toEqual(['forbidden', 'forbidden'])
    using forAlice = await openSite({ authorize: ({ attributes }) => attributes!.user === alice!.user })
    expect(await curl('alice', forAlice.url)).toBe('Hello, alice@AD.TEST 200')
    expect(await curl('bob', forAlice.url)).toBe(' 403')
  })

  test('have their SIDs throughout a session, and by a password', async () => {
    using site = await openSite({ tls: true, session: {}, basic: true })
    const first = await (await fetchAs('bob'))(site.url)
    const [cookie] = first.headers.getSetCookie()
    const get = nodeFetch({ ca: certificate })
    expect((await get(site.url, { headers: { cookie: cookie!.split(';')[0]! } })).status).toBe(200)
    const authorization = `Basic ${btoa('bob:bob-pw')}`
    expect((await get(site.url, { headers: { authorization } })).status).toBe(200)
    expect(site.visits.map(({ by }) => by)).toEqual([undefined, 'negotiate', 'session', 'basic'])
    expect(shown(site)).toEqual([wanted('bob'), wanted('bob'), wanted('bob')])
  })
})
