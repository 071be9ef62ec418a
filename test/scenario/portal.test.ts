/**
 * `examples/delegation`: a web server that acts on for its users, by S4U2Proxy and by tickets that were handed over. What
 * such servers in other languages have is a ccache in the environment, which is the whole process's: here it is a value.
 */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNegotiateFetch, type Kerberos, type Login, Name, type Realm, startRealm } from 'kerb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createArchive } from '../../examples/delegation/archive.ts'
import { createPortal } from '../../examples/delegation/portal.ts'
import { run } from '../lab/process.ts'
import { isWiped, watchingDelegation } from '../support/delegated.ts'
import { listening } from '../support/listening.ts'

const [PORTAL, ARCHIVE] = ['HTTP/portal.lab.test', 'HTTP/archive.lab.test'] as const
const users = ['alice', 'bob', 'carol', 'dave']

describe('npm run example', () => {
  test('shows each user his own papers, and leaves no file anywhere', async () => {
    const home = mkdtempSync(join(tmpdir(), 'kerb-example-'))
    try {
      const env = { HOME: home, TMPDIR: home, npm_config_cache: join(tmpdir(), 'kerb-example-npm') }
      const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'example'], { env, timeout: 30_000 })
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout.replaceAll(/(log: GssError: GSS_S_FAILURE: KDC_ERR_BADOPTION):.*/g, '$1')).toBe(
        [
          'alice hands nothing over',
          '  200 The papers of alice@LAB.TEST',
          'bob hands over a forwarded ticket',
          '  200 The papers of bob@LAB.TEST',
          'vip hands nothing over',
          "  the portal's log: GssError: GSS_S_FAILURE: KDC_ERR_BADOPTION",
          '  403 you are not to be delegated',
          '',
        ].join('\n'),
      )
      expect(readdirSync(home)).toEqual([])
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})

describe('the portal', () => {
  let realm: Realm
  let kerberos: Kerberos
  const logins = new Map<string, Login>()
  beforeAll(async () => {
    realm = await startRealm({
      users: Object.fromEntries(users.map((user) => [user, `${user}-pw`])),
      services: { [PORTAL]: { allowedToDelegateTo: [ARCHIVE] }, [ARCHIVE]: {} },
    })
    kerberos = realm.kerberos()
    for (const user of users)
      logins.set(user, await kerberos.login(user, { password: `${user}-pw`, forwardable: true }))
  })
  afterAll(() => realm[Symbol.asyncDispose]())

  async function open(archiveUrl?: string) {
    const keytab = realm.keytab(PORTAL)
    const store = { keytab, clientKeytab: keytab, ccache: 'MEMORY:portal' }
    const credentials = await kerberos.acquire({ usage: 'both', name: Name.principal(PORTAL), store })
    const { mech, delegated } = watchingDelegation(kerberos.spnego)
    const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab(ARCHIVE) } })
    const archive = await listening(createArchive(kerberos.spnego, keys))
    const log: unknown[] = []
    const where = { url: archiveUrl ?? archive.url, name: ARCHIVE }
    const portal = await listening(createPortal({ mech, credentials, archive: where, log: (error) => log.push(error) }))
    return {
      ...{ log, delegated },
      async as(user: string, delegate: boolean, init: RequestInit = {}) {
        const { credentials } = logins.get(user)!
        const fetch = createNegotiateFetch({ mech: kerberos.spnego, credentials, targetName: PORTAL, delegate })
        const page = await fetch(portal.url, init)
        return [page.status, await page.text()]
      },
      /** Resolves once every connection is closed, and with them the contexts. */
      async [Symbol.asyncDispose]() {
        await portal[Symbol.asyncDispose]()
        await archive[Symbol.asyncDispose]()
      },
    }
  }

  test.each([
    ['S4U2Proxy', false],
    ['the ticket that was handed over', true],
  ])('shows many users at once each his own, by %s, and no key of theirs stays', async (_, delegate) => {
    const environment = JSON.stringify(process.env)
    const portal = await open()
    const asking = Array.from({ length: 12 }, (_, i) => users[i % users.length]!)
    const pages = await Promise.all(asking.map((user) => portal.as(user, delegate)))
    expect(pages).toEqual(asking.map((user) => [200, `The papers of ${user}@LAB.TEST\n`]))
    await portal[Symbol.asyncDispose]()
    expect(portal.log).toEqual([])
    expect(portal.delegated).toHaveLength(12)
    for (const { keys, tickets } of portal.delegated) {
      expect(keys.map(isWiped)).toEqual(keys.map(() => true))
      expect(tickets()).toEqual([])
    }
    expect(JSON.stringify(process.env)).toBe(environment)
  })

  test('wipes them as well when the archive does not answer', async () => {
    const dead = await listening(createServer((request) => request.socket.destroy()))
    const portal = await open(dead.url)
    expect(await portal.as('alice', false)).toEqual([502, 'the archive does not answer\n'])
    await portal[Symbol.asyncDispose]()
    await dead[Symbol.asyncDispose]()
    expect(portal.log).toHaveLength(1)
    expect(portal.delegated.flatMap(({ keys }) => keys).map(isWiped)).toEqual([true, true])
  })

  test('and when the user goes away before', async () => {
    const slowServer = createServer()
    const asked = once(slowServer, 'request')
    const slow = await listening(slowServer)
    const portal = await open(slow.url)
    const leaving = new AbortController()
    const page = portal.as('alice', false, { signal: leaving.signal })
    await asked
    leaving.abort()
    await expect(page).rejects.toMatchObject({ name: 'AbortError' })
    await slow[Symbol.asyncDispose]()
    await portal[Symbol.asyncDispose]()
    await vi.waitFor(() => expect(portal.delegated.flatMap(({ keys }) => keys).map(isWiped)).toEqual([true, true]))
  })
})
