/**
 * What Linux's NFS server asks of a GSS-Proxy daemon: net/sunrpc/auth_gss/gss_rpc_xdr.c of Linux, and what gssproxy 0.9.1
 * answered to the same call (`vectors/gssproxy/nfs`).
 */
import { userInfo } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OctetReader } from '../../src/bytes/cursor.ts'
import { toHex } from '../../src/bytes/index.ts'
import { SecurityContext } from '../../src/gss/context.ts'
import { parseContext } from '../../src/gss/krb5/exported.ts'
import { Name } from '../../src/gss/name.ts'
import { type Args, procedures, type Result } from '../../src/gssproxy/procedures.ts'
import { formatCall, parseReply } from '../../src/gssproxy/rpc.ts'
import { gssProxyServer } from '../../src/gssproxy/server.ts'
import { textFrom, withNul } from '../../src/gssproxy/wire.ts'
import { decode, encode } from '../../src/gssproxy/xdr.ts'
import { accountOf, groupsOf } from '../../src/node/accounts.ts'
import { KerberosService } from '../../src/node/gssproxy/service.ts'
import { MemoryVault } from '../../src/node/gssproxy/vault.ts'
import { random } from '../../src/node/random.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { now } from '../../src/node/world.ts'
import { recorded } from './recorded.ts'

const me = userInfo().username
let realm: Realm
let service: KerberosService
const server = gssProxyServer({ vault: new MemoryVault(), now, random })

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'secret', [me]: 'secret' }, services: ['nfs/localhost'] })
  service = new KerberosService(realm.kerberos(), {
    ...{ name: 'nfs', keytab: realm.keytab('nfs/localhost'), usage: 'accept' },
  } as const)
})
afterAll(() => realm[Symbol.asyncDispose]())

const { args: argsType, result: resultType, number } = procedures.ACCEPT_SEC_CONTEXT
const empty = argsType.empty
/** A call as the kernel makes it, with an initiator's token. */
async function accept(user: string, callOptions = kernelOptions) {
  const kerberos = realm.kerberos()
  using login = await kerberos.login(user, { password: 'secret' })
  await login.save('MEMORY:kernel')
  const creds = await kerberos.acquire({ usage: 'initiate', store: { ccache: 'MEMORY:kernel' } })
  const initiator = new SecurityContext({
    ...{ usage: 'initiate', name: Name.hostbased('nfs@localhost'), creds, mech: kerberos.krb5 },
  } as const)
  const inputToken = (await initiator.step())!
  const args: Args<'ACCEPT_SEC_CONTEXT'> = { ...empty, callCtx: { ...empty.callCtx, options: callOptions }, inputToken }
  const reply = await server.respond(formatCall(3, number, encode(argsType, args)), service)
  const result: Result<'ACCEPT_SEC_CONTEXT'> = decode(resultType, parseReply(reply!, 3), 'result').value
  if (result.outputToken) await initiator.step(result.outputToken)
  return { result, initiator }
}
const kernelOptions = [
  { option: withNul('exported_context_type'), value: withNul('linux_lucid_v1') },
  { option: withNul('exported_creds_type'), value: withNul('linux_creds_v1') },
]

const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
/** The words of a blob, in this machine's byte order. */
const wordsOf = (octets: Uint8Array): readonly number[] =>
  Array.from({ length: octets.length / 4 }, (_, i) => new DataView(octets.slice().buffer).getUint32(4 * i, little))
const lucidOf = (token: Uint8Array) => {
  const [flags, endtime, low, high, enctype] = wordsOf(token.subarray(0, 20)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return { flags, endtime, sequence: little ? low : high, enctype, key: toHex(token.subarray(20)) }
}

describe('a context for the kernel', () => {
  test('is lucid: flags, end, number, enctype and key, and nothing else', async () => {
    const { result, initiator } = await accept('alice')
    const { exportedContextToken, srcName, open } = result.contextHandle!
    const { acceptorSubkey, ticket, window } = parseContext(initiator.export())
    expect(lucidOf(exportedContextToken)).toEqual({
      // CFX, and the acceptor's subkey
      ...{ flags: 6, endtime: ticket.endtime, sequence: window.first, enctype: acceptorSubkey!.keytype },
      key: toHex(acceptorSubkey!.keyvalue),
    })
    expect([textFrom(srcName.displayName), open, srcName.exportedCompositeName.length]).toEqual([
      'alice@LAB.TEST',
      true,
      0,
    ])
    // what the kernel has room for (GSSX_max_*)
    expect(exportedContextToken.length).toBeLessThanOrEqual(128)
    expect(result.outputToken!.length).toBeLessThanOrEqual(1024)
    expect(result.delegatedCredHandle).toBeUndefined()
  })

  test('has the form of the recorded one', () => {
    const reply = recorded.find(({ file }) => /^nfs.*reply.*09|^nfs.*09.*reply/.test(file))!
    const xid = new OctetReader(reply.octets).uint32()
    const { contextHandle } = decode(resultType, parseReply(reply.octets, xid), 'result').value
    // 2026-11-22: an AES256 key behind CFX
    expect(contextHandle!.exportedContextToken).toHaveLength(52)
    expect(lucidOf(contextHandle!.exportedContextToken)).toMatchObject({
      ...{ flags: 6, endtime: 1_795_415_831, sequence: 703_093_230, enctype: 18 },
    })
  })

  test('comes with the user’s numbers, and those of nobody for whoever is no user', async () => {
    const { result } = await accept(me)
    const account = accountOf(me)!
    const groups = groupsOf(account)
    expect(result.options.map(({ option }) => textFrom(option))).toEqual(['linux_creds_v1'])
    expect(wordsOf(result.options[0]!.value)).toEqual([account.uid, account.gid, groups.length, ...groups])
    const { result: unknown } = await accept('alice')
    expect(toHex(unknown.options[0]!.value)).toBe('ffffffffffffffff00000000')
  })

  test('is MIT’s unless asked for otherwise, and of no other form', async () => {
    const { result } = await accept('alice', [])
    expect(result.options).toEqual([])
    expect(result.contextHandle!.exportedContextToken.length).toBeGreaterThan(400)
    for (const name of ['exported_context_type', 'exported_creds_type']) {
      const { result } = await accept('alice', [{ option: withNul(name), value: withNul('linux_v9') }])
      expect(result.status.majorStatus).toBe(0xd0000n)
      expect(result.contextHandle).toBeUndefined()
    }
  })
})
