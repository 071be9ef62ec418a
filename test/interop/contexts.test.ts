/** Contexts that MIT's library goes on with when we exported them, and ours that it exported: python-gssapi over MIT krb5. */
import { flagBits, type GssFlag, type IovBuffer, Name, SecurityContext } from 'kerb/gss'
import { expect, test } from 'vitest'
import { concat, fromUtf8, utf8 } from '../../src/bytes/index.ts'
import { keytab, lab, peer, run } from '../lab/index.ts'
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

peer(['mit', 'gssapi'], 'what RPC does, with a python-gssapi acceptor', () => {
  const services = ['e-aes256-sha1-96', 'e-aes128-sha1-96', 'e-aes256-sha384-192', 'e-aes128-sha256-128']
  const styles: readonly (readonly GssFlag[])[] = [['dceStyle'], ['mutualAuthentication', 'outOfSequenceDetection']]
  const cases = services.flatMap((service) => styles.map((flags) => ({ service, flags })))

  /** A context with the acceptor of the lab. */
  async function reached(service: string, flags: readonly GssFlag[], frames: Frames) {
    const env = freshEnv()
    expect((await run('kinit', ['-f', 'alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const kerberos = kerberosOf(env)
    const creds = await kerberos.acquire({ usage: 'initiate' })
    const name = Name.principal(`${service}/localhost@LAB.TEST`)
    const context = new SecurityContext({ usage: 'initiate', name, creds, flags, mech: kerberos.krb5 })
    await handshake(frames, context)
    return context
  }
  const octetsOf = (buffers: readonly IovBuffer[], type: IovBuffer['type']) =>
    buffers.find((buffer) => buffer.type === type)!.octets!

  test.each(cases)('$service with $flags: pieces without a trailer', async ({ service, flags }) => {
    using frames = Frames.to(lab.echo)
    const context = await reached(service, flags, frames)
    for (const size of [1, 15, 16, 100, 5000])
      for (const sealed of [true, false]) {
        const stub = new Uint8Array(size).fill(size)
        const wrapped = context.wrapIov([{ type: 'header' }, { type: 'data', octets: stub }], sealed)
        const [header, data] = [octetsOf(wrapped, 'header'), octetsOf(wrapped, 'data')]
        const answer = await call(frames, 'v', concat(counted(header), data))
        const length = new DataView(answer.buffer, answer.byteOffset).getUint32(0)
        const opened = context.unwrapIov([
          { type: 'header', octets: answer.subarray(4, 4 + length) },
          { type: 'data', octets: answer.subarray(4 + length) },
        ])
        expect([opened.encrypted, octetsOf(opened.buffers, 'data')]).toEqual([sealed, stub])
      }
  })

  test.each(cases.filter(({ flags }) => !flags.includes('dceStyle')))(
    '$service: a message with associated data',
    async ({ service, flags }) => {
      using frames = Frames.to(lab.echo)
      const context = await reached(service, flags, frames)
      const signOnly: IovBuffer = { type: 'signOnly', octets: utf8('associated') }
      for (const sealed of [true, false]) {
        const pieces = [
          { type: 'header' },
          signOnly,
          { type: 'data', octets: utf8('data') },
          { type: 'trailer' },
        ] as const
        const wrapped = context.wrapIov(pieces, sealed)
        const token = concat(...(['header', 'data', 'trailer'] as const).map((type) => octetsOf(wrapped, type)))
        const octets = await call(frames, 'a', concat(counted(signOnly.octets!), token))
        const opened = context.unwrapIov([{ type: 'stream', octets }, signOnly, { type: 'data' }])
        expect([opened.encrypted, fromUtf8(octetsOf(opened.buffers, 'data'))]).toEqual([sealed, 'data'])
      }
    },
  )

  test('delegated credentials reach the next service in the name of alice', async () => {
    using frames = Frames.to(lab.echo)
    const context = await reached('echo', ['mutualAuthentication', 'delegateToPeer'], frames)
    expect(context.actualFlags.has('delegateToPeer')).toBe(true)
    const { delegated } = JSON.parse(fromUtf8(await call(frames, 'i'))) as { delegated: string }
    expect(delegated).toBe('alice@LAB.TEST')
  })

  test('every set of flags comes out as MIT sees it', async () => {
    const services: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']
    const all: readonly GssFlag[] = [...services, 'dceStyle', 'delegateToPeer']
    for (let n = 0; n < 1 << all.length; n++) {
      const flags = all.filter((_, bit) => n & (1 << bit))
      using frames = Frames.to(lab.echo)
      const context = await reached('echo', flags, frames)
      const info = JSON.parse(fromUtf8(await call(frames, 'i'))) as { flags: number }
      for (const flag of all) {
        const granted = (info.flags & flagBits[flag]) !== 0
        expect(granted, `${flag} of ${flags}`).toBe(context.actualFlags.has(flag))
      }
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
