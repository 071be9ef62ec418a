/** Our contexts against python-gssapi over MIT krb5, in both roles. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import { type GssFlag, mechanismOids, Name, SecurityContext } from 'kerb/gss'
import { describe, expect, test } from 'vitest'
import { concat, equal, fromUtf8 } from '../../src/bytes/index.ts'
import { keytab, lab, peer, program, run } from '../lab/index.ts'
import { kerberosOf, mechanism } from '../support/contexts.ts'
import { call, Frames, handshake } from '../support/frames.ts'
import { freshEnv } from '../support/kerb.ts'

const sizes = [0, 1, 15, 16, 17, 100, 102_400]
const messageOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff)
peer(['mit', 'gssapi'], 'our initiator against a python-gssapi acceptor', () => {
  const mutual: GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']
  const current = ['e-aes256-sha1-96', 'e-aes128-sha1-96', 'e-aes256-sha384-192', 'e-aes128-sha256-128']
  /** Whose tokens are RFC 1964's, which are not rotated, unless an acceptor's subkey can be agreed on. */
  const older = ['e-arcfour', 'e-des3']
  const cases = [...current, 'e-camellia256', 'e-camellia128', ...older].flatMap((service) =>
    (['krb5', 'spnego'] as const).flatMap((mech) =>
      [mutual, [] as GssFlag[]].map((flags) => ({ service, mech, flags })),
    ),
  )

  test.each(cases)('$service by $mech with $flags', async ({ service, mech, flags }) => {
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const creds = await kerberosOf(env).acquire({ usage: 'initiate' })
    const name = Name.principal(`${service}/localhost@LAB.TEST`)
    const context = new SecurityContext({ usage: 'initiate', name, creds, flags, mech: mechanism(mech, env) })
    using frames = Frames.to(lab.echo)
    await handshake(frames, context)
    expect(context.mech).toBe(mechanismOids.krb5)
    expect(context.actualFlags.has('mutualAuthentication')).toBe(flags.includes('mutualAuthentication'))
    for (const size of sizes) {
      const message = messageOf(size)
      // r: answered in MIT's rotated form; an empty signed message is what MIT 1.20 refuses to rotate
      for (const sealed of [true, false])
        for (const operation of (size === 0 && !sealed) || (older.includes(service) && flags.length === 0)
          ? ['w']
          : ['w', 'r']) {
          const back = context.unwrap(await call(frames, operation, context.wrap(message, sealed).message))
          expect(equal(back.message, message) && back.encrypted === sealed, `${operation} ${size} ${sealed}`).toBe(true)
        }
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, size)
      const mic = await call(frames, 'm', concat(length, message, context.sign(message)))
      context.verify(message, mic)
    }
    const info = JSON.parse(fromUtf8(await call(frames, 'i', new Uint8Array(0)))) as Record<string, unknown>
    expect(info).toMatchObject({ initiator: 'alice@LAB.TEST', target: `${service}/localhost@LAB.TEST` })
  })

  test.each(older)('%s: AES protects messages all the same, as both know it (RFC 4537)', async (service) => {
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const creds = await kerberosOf(env).acquire({ usage: 'initiate' })
    const name = Name.principal(`${service}/localhost@LAB.TEST`)
    const context = new SecurityContext({ usage: 'initiate', name, creds, mech: mechanism('krb5', env) })
    using frames = Frames.to(lab.echo)
    await handshake(frames, context)
    expect(context.established.sessionKey().type).toBe(18)
    const message = messageOf(100)
    expect(context.unwrap(await call(frames, 'r', context.wrap(message).message)).message).toEqual(message)
  })
})

peer(['mit', 'gssapi'], 'a python-gssapi initiator against our acceptor', () => {
  const serve = async (mech: 'krb5' | 'spnego') => {
    const creds = await kerberosOf(lab.mit.env).acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const problems: unknown[] = []
    const delegated: (string | undefined)[] = []
    const server = createServer((socket) => {
      const frames = new Frames(socket)
      const context = new SecurityContext({ usage: 'accept', creds, mech: mechanism(mech, lab.mit.env) })
      const tell = () => void delegated.push(context.delegatedCredentials?.name?.text)
      echo(frames, context, tell).catch((error) => {
        if (!socket.destroyed) problems.push(error)
        socket.destroy()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address() as { port: number }
    return { address: `127.0.0.1:${address.port}`, problems, delegated, [Symbol.dispose]: () => void server.close() }
  }

  /** What gss_echo.py does, on our side. */
  const echo = async (frames: Frames, context: SecurityContext, established: () => void) => {
    while (!context.complete) frames.send((await context.step(await frames.receive())) ?? new Uint8Array(0))
    established()
    for (;;) {
      const frame = await frames.receive()
      const body = frame.subarray(1)
      if (fromUtf8(frame.subarray(0, 1)) === 'w') {
        const { message, encrypted } = context.unwrap(body)
        frames.send(context.wrap(message, encrypted).message)
      } else {
        const size = new DataView(body.buffer, body.byteOffset).getUint32(0)
        context.verify(body.subarray(4, 4 + size), body.subarray(4 + size))
        frames.send(context.sign(body.subarray(4, 4 + size)))
      }
    }
  }

  describe.each(['krb5', 'spnego'] as const)('by %s', (mech) => {
    test.each([
      'mutual_authentication,replay_detection,out_of_sequence_detection',
      'confidentiality,integrity',
      'integrity',
      'dce_style',
      'dce_style,replay_detection,out_of_sequence_detection,delegate_to_peer',
      'mutual_authentication,delegate_to_peer',
      'delegate_to_peer',
    ])('with %s', async (flags) => {
      using server = await serve(mech)
      const env = freshEnv()
      expect((await run('kinit', ['-f', 'alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
      const args = [program('gss_initiate.py'), server.address, 'echo/localhost', mech, flags, '0,1,100,102400']
      const { stdout, stderr, code } = await run('/usr/bin/python3', args, { env })
      expect({ code, stderr, problems: server.problems }).toEqual({ code: 0, stderr: '', problems: [] })
      const said = JSON.parse(stdout) as { flags: string[]; sizes: number[] }
      expect(said.flags.includes('mutual_authentication')).toBe(flags.includes('mutual') || flags.includes('dce'))
      expect(said.flags.includes('delegate_to_peer')).toBe(flags.includes('delegate'))
      expect(server.delegated).toEqual(flags.includes('delegate') ? ['alice@LAB.TEST'] : [undefined])
      expect(said.sizes).toEqual([0, 1, 100, 102_400])
    })
  })
})
