import { fromHex } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { CacheContents } from '../../src/store/ccache.ts'
import { entryOf } from '../../src/store/ccacheentry.ts'

/** A ticket of `client` that no KDC issued. */
export const ticketFor = (server: string, client = 'alice@LAB.TEST'): Credential => ({
  client: parsePrincipal(client),
  server: parsePrincipal(server),
  key: new Key(enctypes[0]!, new Uint8Array(32).fill(1)),
  ticket: fromHex('6100'),
  flags: new Set(['initial']),
  authtime: 1,
  starttime: 1,
  endtime: 2,
})

/** The contents of a cache with tickets for these services. */
export const contentsFor = (client: string, ...servers: string[]): CacheContents => ({
  principal: parsePrincipal(client),
  clockOffset: -2_000_000,
  entries: servers.map((server) => entryOf(ticketFor(server, client))),
})
