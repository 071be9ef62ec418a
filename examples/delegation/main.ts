/** The portal, the archive and their users, in a realm that lives as long as this program. @module */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createNegotiateFetch, Name, startRealm } from 'kerb'
import { createArchive } from './archive.ts'
import { createPortal } from './portal.ts'

const [PORTAL, ARCHIVE] = ['HTTP/portal.lab.test', 'HTTP/archive.lab.test'] as const

await using realm = await startRealm({
  users: { alice: 'alice-pw', bob: 'bob-pw', vip: { password: 'vip-pw', notDelegated: true } },
  services: { [PORTAL]: { allowedToDelegateTo: [ARCHIVE] }, [ARCHIVE]: {} },
})
const kerberos = realm.kerberos()
const { spnego: mech } = kerberos

using archiveKeys = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab(ARCHIVE) } })
await using archive = await listening(createArchive(mech, archiveKeys))

// One keytab to accept with and to log in with; the tickets are kept in memory.
const keytab = realm.keytab(PORTAL)
using credentials = await kerberos.acquire({
  ...{ usage: 'both', name: Name.principal(PORTAL) },
  store: { keytab, clientKeytab: keytab, ccache: 'MEMORY:portal' },
})
const log = (error: unknown) => console.log(`  the portal's log: ${error}`)
// These hosts are in no DNS, so their names are told apart from their addresses, here and below.
await using portal = await listening(
  createPortal({ mech, credentials, archive: { url: archive.url, name: ARCHIVE }, log }),
)

for (const [user, delegate] of [
  ['alice', false],
  ['bob', true],
  ['vip', false],
] as const) {
  console.log(`${user} ${delegate ? 'hands over a forwarded ticket' : 'hands nothing over'}`)
  using login = await kerberos.login(user, { password: `${user}-pw`, forwardable: true })
  const fetch = createNegotiateFetch({ mech, credentials: login.credentials, targetName: PORTAL, delegate })
  const page = await fetch(portal.url)
  console.log(`  ${page.status} ${(await page.text()).trimEnd()}`)
}

/** Where a server can be reached on loopback, until it is disposed of. */
async function listening(server: Server): Promise<{ readonly url: string } & AsyncDisposable> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}
