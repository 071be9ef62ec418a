/** Our initiator at a python-gssapi acceptor (MIT krb5), as far as docs/gss-interop.md does not show it: whole tokens that are rotated, and S4U. */
import { type GssFlag, Name, SecurityContext } from 'kerb/gss'
import { expect, test } from 'vitest'
import { equal, fromUtf8 } from '../../src/bytes/index.ts'
import { keytab, lab, peer, run } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { call, Frames, handshake } from '../support/frames.ts'
import { freshEnv } from '../support/kerb.ts'

const sizes = [0, 1, 15, 16, 17, 100, 102_400]
const messageOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff)

peer(['mit', 'gssapi'], 'tokens that MIT rotates (RFC 4121 §4.2.5)', () => {
  test.each([
    'e-aes256-sha1-96',
    'e-aes128-sha1-96',
    'e-aes256-sha384-192',
    'e-aes128-sha256-128',
    'e-camellia256',
    'e-camellia128',
    // AES protects messages all the same, as both know it (RFC 4537)
    'e-arcfour',
    'e-des3',
  ])('%s', async (service) => {
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const kerberos = kerberosOf(env)
    const creds = await kerberos.acquire({ usage: 'initiate' })
    const name = Name.principal(`${service}/localhost@LAB.TEST`)
    const context = new SecurityContext({ usage: 'initiate', name, creds, mech: kerberos.krb5 })
    using frames = Frames.to(lab.echo)
    await handshake(frames, context)
    if (['e-arcfour', 'e-des3'].includes(service)) expect(context.sessionKey().type).toBe(18)
    for (const size of sizes)
      for (const sealed of [true, false]) {
        if (size === 0 && !sealed) continue // an empty signed message is what MIT 1.20 refuses to rotate
        const message = messageOf(size)
        const back = context.unwrap(await call(frames, 'r', context.wrap(message, sealed).message))
        expect(equal(back.message, message) && back.encrypted === sealed, `${size} ${sealed}`).toBe(true)
      }
  })
})

peer(
  ['mit', 'gssapi'],
  "a service in the name of a user, with tickets of MIT's KDC, at a python-gssapi acceptor",
  () => {
    test.each([
      ['alice', 'alice@LAB.TEST'],
      ['mia@MID.TEST', 'mia@MID.TEST'],
    ])('acts as %s, who is not there (S4U2Self, S4U2Proxy)', async (user, seen) => {
      const kerberos = kerberosOf(freshEnv())
      using own = await kerberos.login('svc1/localhost', { keytab: keytab('all'), forwardable: true })
      using creds = await kerberos.impersonate(own.credentials, Name.user(user))
      const name = Name.principal('echo/localhost@LAB.TEST')
      const flags: GssFlag[] = ['mutualAuthentication']
      const context = new SecurityContext({ usage: 'initiate', name, creds, flags, mech: kerberos.krb5 })
      using frames = Frames.to(lab.echo)
      await handshake(frames, context)
      const info = JSON.parse(fromUtf8(await call(frames, 'i'))) as Record<string, unknown>
      expect(info).toMatchObject({ initiator: seen, target: 'echo/localhost@LAB.TEST' })
    })

    test('goes where the rules do not let it in nobody’s name', async () => {
      const kerberos = kerberosOf(freshEnv())
      using own = await kerberos.login('svc1/localhost', { keytab: keytab('all'), forwardable: true })
      using creds = await kerberos.impersonate(own.credentials, Name.user('alice'))
      const name = Name.principal('svc3/localhost@LAB.TEST')
      const context = new SecurityContext({ usage: 'initiate', name, creds, mech: kerberos.krb5 })
      await expect(context.step()).rejects.toMatchObject({ minor: 'KDC_ERR_BADOPTION' })
    })
  },
)
