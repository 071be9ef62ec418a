/** Tickets across realms: LAB.TEST trusts MID.TEST, and that one FAR.TEST. RFC 4120 §1.2, §3.3.3; RFC 6806 §8; MS-PAC §4.1.2.2. */
import { describe, expect, test } from 'vitest'
import { decode } from '../../src/asn1/codec.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { requestTicket } from '../../src/krb5/exchanges/tgsrequest.ts'
import { nameTypes } from '../../src/krb5/messages/codes.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { formatPrincipal, parsePrincipal } from '../../src/krb5/names.ts'
import { authorizationOf } from '../../src/krb5/pac/authorization.ts'
import { verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { decodeTransited } from '../../src/krb5/transited.ts'
import { few, Realms } from '../support/realms.ts'

const labDomain = 'S-1-5-21-1-2-3'
const ways: Record<string, string[]> = { 'LAB.TEST FAR.TEST': ['MID.TEST'], 'LAB.TEST MID.TEST': [] }

function three(paths?: (client: string, server: string) => readonly string[] | undefined) {
  const realms = new Realms(paths ? { paths } : {})
  const realmOfHost = (host: string) => (host.endsWith('.far.test') ? 'FAR.TEST' : '')
  const lab = realms.realm('LAB.TEST', { realmOfHost })
  realms.realm('MID.TEST', { realmOfHost })
  const far = realms.realm('FAR.TEST', { realmOfHost })
  const identity = { sid: `${labDomain}-1103`, groups: [513], extraSids: ['S-1-5-32-544', 'S-1-5-21-9-9-9-512'] }
  lab.add('alice', { password: 'x', identity, ...few })
  far.add('HTTP/www.far.test', { ...few, aliases: ['web'] })
  realms.trust('LAB.TEST', 'MID.TEST', { 'LAB.TEST': labDomain })
  realms.trust('MID.TEST', 'FAR.TEST', { 'MID.TEST': labDomain })
  const opened = ({ server, ticket }: Credential) => {
    const [key] = realms.databases.get(server.realm)!.lookup(server)!.keys
    return { key: key!, part: sealedTicket.open(key!, decode(Ticket, ticket).encPart) }
  }
  return { realms, opened }
}
const configured = (client: string, server: string) => ways[`${client} ${server}`]
const service = parsePrincipal('HTTP/www.far.test@FAR.TEST')

describe('a service two realms away', () => {
  test('is reached by the configured way, which stands in the ticket', async () => {
    const { realms, opened } = three(configured)
    const tgt = await realms.login('alice@LAB.TEST')
    const { credential, path } = await realms.go(tgsExchange({ tgt, service }, realms.env))
    expect(path.map(({ server }) => formatPrincipal(server))).toEqual([
      'krbtgt/MID.TEST@LAB.TEST',
      'krbtgt/FAR.TEST@MID.TEST',
    ])
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
    const { part } = opened(credential)
    expect(decodeTransited(part.transited, { client: 'LAB.TEST', server: 'FAR.TEST' })).toEqual(['MID.TEST'])
    expect(part.flags.has('transitedPolicyChecked')).toBe(true)
  })

  test('is found by referrals when the client does not know its realm', async () => {
    const { realms } = three(configured)
    const tgt = await realms.login('alice@LAB.TEST')
    const { credential } = await realms.go(tgsExchange({ tgt, service: { ...service, realm: '' } }, realms.env))
    expect(formatPrincipal(credential.server)).toBe('HTTP/www.far.test@FAR.TEST')
  })

  test('is found by its enterprise name', async () => {
    const { realms } = three(configured)
    const tgt = await realms.login('alice@LAB.TEST')
    const enterprise = { type: nameTypes.enterprise, components: ['web@FAR.TEST'], realm: '' }
    const { credential } = await realms.go(tgsExchange({ tgt, service: enterprise }, realms.env))
    expect(formatPrincipal(credential.server)).toBe('HTTP/www.far.test@FAR.TEST')
  })

  test('is refused when the realms on the way are none of those between the two (CVE-2017-6594)', async () => {
    const { realms } = three()
    const tgt = await realms.login('alice@LAB.TEST')
    const { credential: mid } = await realms.go(
      tgsExchange({ tgt, service: parsePrincipal('krbtgt/MID.TEST@LAB.TEST') }, realms.env),
    )
    await expect(realms.go(tgsExchange({ tgt: mid, service }, realms.env))).rejects.toMatchObject({
      code: 'KDC_ERR_PATH_NOT_ACCEPTED',
    })
  })

  test('may be left to decide itself, by DISABLE-TRANSITED-CHECK, and is not told that the KDC did', async () => {
    const { realms, opened } = three(configured)
    const tgt = await realms.login('alice@LAB.TEST')
    const options = ['disableTransitedCheck'] as const
    const { credential } = await realms.go(tgsExchange({ tgt, service, options }, realms.env))
    expect(opened(credential).part.flags.has('transitedPolicyChecked')).toBe(false)
  })

  test('learns of groups of the trusted domain alone (MS-PAC §4.1.2.2)', async () => {
    const { realms, opened } = three(configured)
    const tgt = await realms.login('alice@LAB.TEST')
    const { credential } = await realms.go(tgsExchange({ tgt, service }, realms.env))
    const { key, part } = opened(credential)
    const kdcKeys = realms.databases.get('FAR.TEST')!.lookup(parsePrincipal('krbtgt/FAR.TEST@FAR.TEST'))!.keys
    const { groups, user } = authorizationOf(verifyTicketPac(part, { serverKey: key, kdcKeys }))
    expect(user).toBe(`${labDomain}-1103`)
    expect(groups).toEqual([`${labDomain}-513`, 'S-1-18-1'])
  })
})

test('nobody is sold a ticket by the key that another realm shares with this one', async () => {
  const { realms } = three(configured)
  const tgt = await realms.login('alice@LAB.TEST')
  const forged = { tgt, service: parsePrincipal('krbtgt/LAB.TEST@MID.TEST'), canonicalize: false, clockOffset: 0 }
  await expect(realms.go(requestTicket(forged, realms.env), 'LAB.TEST')).rejects.toMatchObject({
    code: 'KDC_ERR_S_PRINCIPAL_UNKNOWN',
  })
})
