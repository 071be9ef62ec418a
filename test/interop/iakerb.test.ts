/** IAKERB with MIT krb5 1.20.1 at the other end, in both roles: a client that has no KDC of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { bind, Name, SecurityContext } from 'kerb/gss'
import { IakerbCredential, iakerbMechanism, noRules } from 'kerb/gss/krb5'
import { passwordSecret } from 'kerb/krb5'
import { expect, test } from 'vitest'
import { fromHex, fromUtf8, toHex, utf8 } from '../../src/bytes/index.ts'
import { keytab, lab, peer, program, run } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { Samples, sampleFlags } from '../support/samples.ts'

const service = 'echo/localhost@LAB.TEST'

/** gss_iakerb.py, a line at a time. */
function python(env: Readonly<Record<string, string>>) {
  const child = spawn('/usr/bin/python3', [program('gss_iakerb.py')], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    say: (token: Uint8Array) => void child.stdin.write(`${toHex(token)}\n`),
    async hear(): Promise<string> {
      const { value, done } = await lines.next()
      if (done || value.startsWith('error')) expect.fail(value ?? 'gss_iakerb.py has ended')
      return value
    },
    [Symbol.dispose]: () => void child.kill(),
  }
}

peer(['mit', 'gssapi', 'samples'], 'IAKERB', () => {
  test('our initiator, which reaches no KDC, logs in through an acceptor of MIT', async () => {
    using acceptor = python({ ...lab.mit.env, KRB5_KTNAME: keytab('echo') })
    const kerberos = kerberosOf(lab.mit.env)
    const client = kerberos.principal('alice')
    const send = () => expect.unreachable('the client asked a KDC itself')
    // 1.20.1 reads the realm as an OCTET STRING alone.
    const mech = bind(iakerbMechanism(kerberos.env, noRules, { form: 'octetString' }), { ...kerberos.world, send })
    const creds = IakerbCredential.credentials(client, passwordSecret(client, 'alice-pw'))
    const context = new SecurityContext({ usage: 'initiate', name: Name.principal(service), creds, mech })
    for (let token = await context.step(); token; ) {
      acceptor.say(token)
      token = await context.step(fromHex(await acceptor.hear()))
    }
    expect(await acceptor.hear()).toBe('done alice@LAB.TEST')
    acceptor.say(context.wrap(utf8('from us')).message)
    expect(fromUtf8(context.unwrap(fromHex(await acceptor.hear())).message)).toBe('from us')
  })

  test('gss-client of MIT logs in through our acceptor', async () => {
    const kerberos = kerberosOf(lab.mit.env)
    const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const mech = bind(iakerbMechanism(kerberos.env), kerberos.world)
    const context = new SecurityContext({ usage: 'accept', creds, mech })
    const heard: string[] = []
    const server = createServer((socket) => {
      serve(new Samples(socket), context, heard).catch((error) => socket.destroy(error))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const who = ['-port', String(port), '-iakerb', '-user', 'alice', '-pass', 'alice-pw']
    const { code, stdout } = await run('gss-client', [...who, 'localhost', 'echo@localhost', 'from MIT'], {
      env: freshEnv(),
    })
    server.close()
    expect(stdout).toContain('Signature verified.')
    expect([code, context.initiatorName.text, ...heard]).toEqual([0, 'alice@LAB.TEST', 'from MIT'])
  })
})

/** What gss-server does. */
async function serve(samples: Samples, context: SecurityContext, heard: string[]): Promise<void> {
  await samples.receive()
  while (!context.complete) {
    const answer = await context.step((await samples.receive())!.token)
    if (answer) samples.send(sampleFlags.context, answer)
  }
  const { flags, token } = (await samples.receive())!
  expect(flags & sampleFlags.wrapped).toBe(sampleFlags.wrapped)
  const { message } = context.unwrap(token)
  heard.push(fromUtf8(message))
  samples.send(sampleFlags.mic, context.sign(message))
}
