/** The rows of names that are not those of the database: RFC 6806. */
import { hostService, tgsExchange } from 'kerb/krb5'
import { expect } from 'vitest'
import { run } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { type Cell, none, type Row } from './cells.ts'
import { bought, client, expectTrace, ours } from './ours.ts'
import { type OurRealm, theirs, tools } from './theirs.ts'

/** Carol by her enterprise name; `name` is what the KDC calls her. */
const carol =
  (name: string): Cell<Kdc> =>
  async (kdc) => {
    const { kerberos } = client(kdc)
    const login = await kerberos.login('carol@corp.example', { password: 'carol-pw', enterprise: true })
    expect(login.principal.components).toEqual([name])
    await bought(kerberos, login.ticket)
  }

/** Alice by another name, of which the KDC makes hers. */
const alias =
  (name: string): Cell<Kdc> =>
  async (kdc) => {
    const { login } = await ours(kdc, name, { password: 'alice-pw', canonicalize: true })
    expect(login.principal.components).toEqual(['alice'])
  }

/** Their kinit under another name, which ends with the one that the KDC has. */
async function theirName(our: OurRealm, name: string, option: 'enterprise' | 'canonicalize', canonical: string) {
  const args = tools[our.client][option]
  const { env } = await theirs(our, name, { args, input: `${canonical}-pw\n` })
  expect((await run('klist', [], { env })).stdout).toContain(`Default principal: ${canonical}@${our.realm.name}`)
}

/** A ticket for a service whose realm the KDC is asked for. */
const referred =
  (host: string, realm: string): Cell<Kdc> =>
  async (kdc) => {
    const { kerberos, events } = client(kdc)
    const { ticket } = await kerberos.login('alice', { password: 'alice-pw' })
    const wanted = hostService('echo', host, '')
    const { credential } = await kerberos.run(tgsExchange({ tgt: ticket, service: wanted }, kerberos.env))
    expect(credential.server).toMatchObject({ components: wanted.components, realm })
    expectTrace(events, [{ kind: 'referral', realm }])
  }

export const nameRows: readonly Row[] = [
  {
    mechanism: 'Enterprise name',
    source: 'RFC 6806 §5',
    mit: carol('carol@corp.example'),
    heimdal: carol('carol'),
    samba: carol('carol'),
    fromMit: (our) => theirName(our, 'carol@corp.example', 'enterprise', 'carol'),
    fromHeimdal: (our) => theirName(our, 'carol@corp.example', 'enterprise', 'carol'),
  },
  {
    mechanism: "Alias of a client, and the KDC's name for it",
    source: 'RFC 6806 §6',
    mit: alias('alicealias'),
    heimdal: alias('alicealias'),
    samba: alias('ALICE'),
    fromMit: (our) => theirName(our, 'alicealias', 'canonicalize', 'alice'),
    fromHeimdal: (our) => theirName(our, 'alicealias', 'canonicalize', 'alice'),
  },
  {
    mechanism: 'Referral by the name of a host',
    source: 'RFC 6806 §8',
    mit: referred('svc.mid.test', 'MID.TEST'),
    heimdal: referred('svc.other.test', 'OTHER.TEST'),
    samba: none.trustSamba,
    fromMit: none.trustOurs,
    fromHeimdal: none.trustOurs,
  },
]
