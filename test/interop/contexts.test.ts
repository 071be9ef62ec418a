/** Contexts that MIT's library goes on with when we exported them, and ours that it exported: python-gssapi over MIT krb5. */
import { type GssFlag, Name, SecurityContext } from 'kerb/gss'
import { expect, test } from 'vitest'
import { fromUtf8, utf8 } from '../../src/bytes/index.ts'
import { lab, peer, run } from '../lab/index.ts'
import { kerberosOf, mechanism } from '../support/contexts.ts'
import { call, counted, Frames, handshake } from '../support/frames.ts'
import { freshEnv } from '../support/kerb.ts'

peer(['mit', 'gssapi'], 'a context that goes from TypeScript to C and back', () => {
  const mutual: GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']
  const services = ['e-aes256-sha1-96', 'e-aes128-sha1-96', 'e-aes256-sha384-192', 'e-aes128-sha256-128']
  const cases = services.flatMap((service) =>
    (['krb5', 'spnego'] as const).flatMap((mech) => [mutual, []].map((flags) => ({ service, mech, flags }))),
  )

  test.each(cases)('$service by $mech with $flags', async ({ service, mech, flags }) => {
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const creds = await kerberosOf(env).acquire({ usage: 'initiate' })
    const name = Name.principal(`${service}/localhost@LAB.TEST`)
    const bound = mechanism(mech, env)
    const context = new SecurityContext({ usage: 'initiate', name, creds, flags, mech: bound })
    using frames = Frames.to(lab.echo)
    await handshake(frames, context)
    context.unwrap(await call(frames, 'w', context.wrap(utf8('before')).message))

    // The acceptor comes over from C, and the initiator goes there: both go on where they were.
    const acceptor = SecurityContext.import(await call(frames, 'e'), { mech: bound })
    expect([acceptor.usage, acceptor.initiatorName.text]).toEqual(['accept', 'alice@LAB.TEST'])
    expect(fromUtf8(await call(frames, 't', context.export()))).toBe('ok')
    for (const sealed of [true, false]) {
      const back = acceptor.unwrap(await call(frames, 'w', acceptor.wrap(utf8('after'), sealed).message))
      expect([fromUtf8(back.message), back.encrypted]).toEqual(['after', sealed])
    }
    acceptor.verify(
      utf8('m'),
      await call(frames, 'm', new Uint8Array([...counted(utf8('m')), ...acceptor.sign(utf8('m'))])),
    )
    const info = JSON.parse(fromUtf8(await call(frames, 'i'))) as Record<string, unknown>
    expect(info).toMatchObject({ initiator: 'alice@LAB.TEST', target: name.text })
    const { octets } = acceptor.sessionKey()
    expect((info['session_key'] as string[])[0]).toBe(Buffer.from(octets).toString('hex'))
  })
})
