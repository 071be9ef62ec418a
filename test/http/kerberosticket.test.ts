/** KerberosTicket as users of python-kerberos know it: one header out, one field in. */
import { describe, expect, test } from 'vitest'
import { GssError } from '../../src/gss/index.ts'
import { KerberosTicket } from '../../src/http/index.ts'
import { fakeNegotiation, guarded, openSite } from './site.ts'

describe('a ticket for one request', () => {
  test('opens the site, and its response is verified once', async () => {
    await using site = await openSite({ '/': guarded() })
    const ticket = new KerberosTicket('HTTP@127.0.0.1', fakeNegotiation())
    const authorization = await ticket.authHeader
    expect(await ticket.authHeader).toBe(authorization)
    const response = await fetch(`${site.url}/`, { headers: { authorization } })
    expect(await response.text()).toBe('hello alice')
    const field = response.headers.get('www-authenticate')
    await ticket.verifyResponse(field)
    await expect(ticket.verifyResponse(field)).rejects.toThrow(/verified a response already/)
  })

  test.each([null, undefined, 'Basic realm="x"', 'Negotiate', 'Negotiate bm9uZQ=='])(
    'is not content with %s for a proof',
    async (field) => {
      const disposed: string[] = []
      const ticket = new KerberosTicket('HTTP/www.lab.test@LAB.TEST', fakeNegotiation({ disposed }))
      await ticket.authHeader
      await expect(ticket.verifyResponse(field)).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION' })
      expect(disposed).toEqual(['initiator'])
    },
  )

  test('has nothing to verify before it was sent', async () => {
    using ticket = new KerberosTicket('HTTP@www', fakeNegotiation())
    await expect(ticket.verifyResponse('Negotiate')).rejects.toThrow(/before authHeader/)
  })

  test('rejects with the mechanism’s error, and is wiped without being verified', async () => {
    const cannotInitiate = new GssError('GSS_S_NO_CRED', 'no ticket')
    const without = new KerberosTicket('HTTP@www', fakeNegotiation({ cannotInitiate }))
    await expect(without.authHeader).rejects.toBe(cannotInitiate)
    const disposed: string[] = []
    const ticket = new KerberosTicket('HTTP@www', fakeNegotiation({ disposed }))
    await ticket.authHeader
    ticket[Symbol.dispose]()
    without[Symbol.dispose]()
    await expect.poll(() => disposed).toEqual(['initiator'])
  })

  test.each(['HTTP', 'www.lab.test', '@www', 'HTTP@'])('%s is not a service at a host', (service) =>
    expect(() => new KerberosTicket(service, fakeNegotiation())).toThrow(/write HTTP@www/),
  )
})
