/** Channel bindings at a server that demands them: Samba 4.22's LDAP within TLS, as Active Directory's with its newer settings. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ChannelBindings, Name, SecurityContext, tlsServerEndPoint } from 'kerb/gss'
import { expect, test } from 'vitest'
import { lab, peer } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { connectLdaps } from '../support/ldap.ts'

/** What Samba answers to other bindings than its own, SEC_E_BAD_BINDINGS among it, and the code of LDAP's invalidCredentials. */
const badBindings = { code: 49, message: expect.stringMatching(/^80090346: .*AcceptSecurityContext/) }
const another = { applicationData: new TextEncoder().encode(`tls-server-end-point:${'?'.repeat(32)}`) }

peer('forest', 'a bind at Samba’s LDAPS', () => {
  /** Begins one as alice, with the bindings that are made of the server's certificate. */
  async function begin(
    mechanism: 'spnego' | 'krb5',
    bindings: (certificate: Uint8Array) => ChannelBindings | undefined,
    { noCiFlags = true } = {},
  ) {
    const { env, dns, dc, dir } = lab.forests.ad
    const kerberos = kerberosOf(freshEnv(env))
    const store = { password: 'alice-pw', verify: join(dir, 'keytabs/all.keytab') }
    const creds = await kerberos.acquire({ usage: 'initiate', name: Name.user('alice'), store, noCiFlags })
    const ldap = await connectLdaps(dns.split(':')[0]!, dc, readFileSync(join(dir, 'tls/ca.pem')))
    const context = new SecurityContext({
      ...{ usage: 'initiate', mech: kerberos[mechanism], creds, name: Name.principal(`ldap/${dc}`) },
      ...{ flags: ['mutualAuthentication'], channelBindings: bindings(ldap.certificate) },
    })
    const result = await ldap.bind(mechanism === 'spnego' ? 'GSS-SPNEGO' : 'GSSAPI', (await context.step())!)
    return { ldap, context, result }
  }

  test('is taken with the bindings of its certificate, and makes us alice there', async () => {
    const { ldap, context, result } = await begin('spnego', tlsServerEndPoint)
    using _ = ldap
    expect(result.code, result.message).toBe(0)
    await context.step(result.token)
    expect([context.complete, await ldap.whoAmI()]).toEqual([true, 'u:ADDOM\\alice'])
  })

  test('goes on by GSSAPI, too, where it still has to agree on a layer of its own', async () => {
    const { ldap, context, result } = await begin('krb5', tlsServerEndPoint)
    using _ = ldap
    expect(result.code, result.message).toBe(14)
    await context.step(result.token)
    expect(context.complete).toBe(true)
  })

  test.each([
    ['spnego', 'no bindings', undefined],
    ['spnego', 'those of another certificate', another],
    ['krb5', 'no bindings', undefined],
    ['krb5', 'those of another certificate', another],
  ] as const)('is refused by %s with %s', async (mechanism, _, bindings) => {
    const { ldap, result } = await begin(mechanism, () => bindings)
    using _connection = ldap
    expect(result).toMatchObject(badBindings)
  })

  test('that would sign within TLS is refused: credentials with noCiFlags ask for nothing of the kind', async () => {
    const { ldap, result } = await begin('spnego', tlsServerEndPoint, { noCiFlags: false })
    using _ = ldap
    expect(result).toMatchObject({ code: 53, message: expect.stringContaining('Sign or Seal are not allowed if TLS') })
  })
})
