/** GSS-Proxy's sockets: who may connect, and what bad peers come to. What gssproxy 0.9.1 does with each was tried. */
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import { SecurityContext } from '../../src/gss/context.ts'
import { Name } from '../../src/gss/name.ts'
import { ProxyCredential } from '../../src/gssproxy/client.ts'
import { procedures } from '../../src/gssproxy/procedures.ts'
import { formatCall, parseReply } from '../../src/gssproxy/rpc.ts'
import { gssProxyServer } from '../../src/gssproxy/server.ts'
import { encode } from '../../src/gssproxy/xdr.ts'
import { marked } from '../../src/krb5/framing.ts'
import { GssProxyConnection } from '../../src/node/gssproxy/client.ts'
import { type GssProxyListening, listenGssProxy } from '../../src/node/gssproxy/listen.ts'
import { KerberosService } from '../../src/node/gssproxy/service.ts'
import { MemoryVault } from '../../src/node/gssproxy/vault.ts'
import { random } from '../../src/node/random.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { now } from '../../src/node/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'gssproxy-'))
const path = join(folder, 'web.sock')
const server = gssProxyServer({ vault: new MemoryVault(), now, random })
let realm: Realm
let listening: GssProxyListening
let service: KerberosService

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'secret' }, services: ['HTTP/localhost'] })
  service = new KerberosService(realm.kerberos(), {
    name: 'web',
    keytab: realm.keytab('HTTP/localhost'),
    clientKeytab: realm.keytab('alice'),
  })
  listening = await listenGssProxy(server, [{ path, service }])
})
afterAll(async () => {
  await listening[Symbol.asyncDispose]()
  await realm[Symbol.asyncDispose]()
})

const indicate = marked(formatCall(5, 1, encode(procedures.INDICATE_MECHS.args, procedures.INDICATE_MECHS.args.empty)))
/** What the daemon says to `pieces`, until it hangs up or says something. */
async function said(...pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const socket = connect({ path })
  socket.on('error', () => undefined)
  for (const piece of pieces) {
    socket.write(piece)
    await sleep(5)
  }
  const answer = await Promise.race([once(socket, 'data'), once(socket, 'close'), sleep(500)])
  socket.destroy()
  const [first] = Array.isArray(answer) ? answer : []
  return first instanceof Uint8Array ? new Uint8Array(first) : new Uint8Array(0)
}

describe('a connection', () => {
  test('takes both sides of a context, one call after the other', async () => {
    using connection = new GssProxyConnection({ path })
    const mech = connection.mechanism(realm.kerberos().krb5)
    const creds = ProxyCredential.credentials()
    using client = new SecurityContext({ usage: 'initiate', name: Name.hostbased('HTTP@localhost'), creds, mech })
    using acceptor = new SecurityContext({ usage: 'accept', creds, mech })
    await client.step(await acceptor.step(await client.step()))
    expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('is made anew when the daemon was restarted', async () => {
    const again = join(folder, 'again.sock')
    using connection = new GssProxyConnection({ path: again })
    const args = encode(procedures.INDICATE_MECHS.args, procedures.INDICATE_MECHS.args.empty)
    for (let i = 0; i < 2; i++) {
      await using _daemon = await listenGssProxy(server, [{ path: again, service }])
      expect((await connection.call({ procedure: 1, args })).length).toBeGreaterThan(100)
    }
  })

  test('tells why nobody answers', async () => {
    const call = { procedure: 1, args: new Uint8Array(12) }
    const failure = (where: string, patience = 15_000) =>
      new GssProxyConnection({ path: where, patience }).call(call).catch((error) => error)
    expect(await failure(join(folder, 'none'))).toMatchObject({ message: expect.stringMatching(/no such socket/) })
    for (const [name, answers, pattern] of [
      ['closing', false, /no service is for the user/],
      ['silent', true, /does not answer within 0.05 s/],
    ] as const) {
      const peer = createServer((socket) => socket.on('data', () => answers || socket.destroy()))
      peer.listen(join(folder, name))
      await once(peer, 'listening')
      expect(await failure(join(folder, name), 50)).toMatchObject({ message: expect.stringMatching(pattern) })
      peer.close()
    }
  })
})

describe('a socket', () => {
  test('is its owner’s alone, unless said', () => expect(statSync(path).mode & 0o777).toBe(0o600))
  test('has the mode that is said, and is gone with the daemon', async () => {
    const open = join(folder, 'open.sock')
    {
      await using _daemon = await listenGssProxy(server, [{ path: open, service, mode: 0o666 }])
      expect(statSync(open).mode & 0o777).toBe(0o666)
    }
    expect(existsSync(open)).toBe(false)
  })
  test('leaves the umask alone, nothing behind, and is there only with its mode', async () => {
    const hidden = mkdtempSync(join(tmpdir(), 'gssproxy-'))
    const umask = vi.spyOn(process, 'umask')
    const modes: number[] = []
    const watcher = watch(hidden, (_, name) => {
      const found = name === 'a.sock' && statSync(join(hidden, name), { throwIfNoEntry: false })
      if (found) modes.push(found.mode & 0o777)
    })
    {
      await using _daemon = await listenGssProxy(server, [{ path: join(hidden, 'a.sock'), service, mode: 0o620 }])
      expect(readdirSync(hidden)).toEqual(['a.sock'])
      await sleep(20)
    }
    watcher.close()
    expect([readdirSync(hidden), new Set(modes)]).toEqual([[], new Set([0o620])])
    expect(umask).not.toHaveBeenCalled()
    umask.mockRestore()
  })
  test('of a daemon that died is replaced, and one that took its place is left', async () => {
    const stale = join(folder, 'stale.sock')
    const died = createServer().listen(join(folder, 'died'))
    await once(died, 'listening')
    linkSync(join(folder, 'died'), stale)
    died.close()
    const daemon = await listenGssProxy(server, [{ path: stale, service }])
    expect((await said(indicate)).length).toBeGreaterThan(100)
    renameSync(stale, join(folder, 'moved.sock'))
    writeFileSync(stale, 'somebody else’s')
    await daemon[Symbol.asyncDispose]()
    expect(readFileSync(stale, 'utf8')).toBe('somebody else’s')
  })
  test('is not taken from another daemon, nor a file overwritten', async () => {
    await expect(listenGssProxy(server, [{ path, service }])).rejects.toThrow('EEXIST')
    const file = join(folder, 'file')
    writeFileSync(file, 'precious')
    await expect(listenGssProxy(server, [{ path: file, service }])).rejects.toThrow('EEXIST')
    expect(readFileSync(file, 'utf8')).toBe('precious')
  })
})

describe('a peer', () => {
  test('may cut its message anywhere', async () => {
    const reply = await said(...Array.from(indicate, (octet) => Uint8Array.of(octet)))
    expect(parseReply(reply.subarray(4), 5).length).toBeGreaterThan(100)
  })
  test('gets answers to calls that it sent without waiting, in their order', async () => {
    const reply = await said(concat(indicate, indicate))
    expect(parseReply(reply.subarray(4), 5).length).toBeGreaterThan(100)
  })
  test.each([
    ['sends a fragment that is not the last', indicate.map((octet, i) => (i === 0 ? octet & 0x7f : octet))],
    ['announces more than a megabyte', Uint8Array.of(0x80, 0x10, 0, 1)],
    ['sends an empty record', Uint8Array.of(0x80, 0, 0, 0)],
    ['sends half a header', marked(new Uint8Array(20))],
    ['sends what is no record', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
  ])('that %s is hung up on, and others are served', async (_, octets) => {
    expect(await said(octets)).toHaveLength(0)
    expect((await said(indicate)).length).toBeGreaterThan(100)
  })
  test('that is slow or silent keeps nobody waiting', async () => {
    const slow = Array.from({ length: 50 }, () => connect({ path }))
    for (const socket of slow) socket.on('error', () => undefined).write(Uint8Array.of(0x80, 0x0f))
    expect((await said(indicate)).length).toBeGreaterThan(100)
    for (const socket of slow) socket.destroy()
  })
  test('that goes away before its answer does no harm', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect({ path })
      socket.on('error', () => undefined)
      socket.write(concat(indicate, indicate), () => socket.destroy())
    }
    expect((await said(indicate)).length).toBeGreaterThan(100)
  })
})
