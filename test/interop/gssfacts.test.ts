/** What MIT's library says of its mechanisms, and does at the edges of GSS-API: ours is held beside it (python-gssapi, krb5 1.20.1). */
import {
  attributeOid,
  flagMask,
  type GssFlag,
  inquireContext,
  mechanismOids,
  mechanisms,
  Name,
  nameTypeOids,
  SecurityContext,
} from 'kerb/gss'
import { initiatorAttributes } from 'kerb/gss/krb5'
import { expect, test } from 'vitest'
import { fromHex, fromUtf8, toHex, utf8 } from '../../src/bytes/index.ts'
import { Krb5Credential } from '../../src/gss/krb5/credential.ts'
import { makeCred } from '../../src/krb5/exchanges/cred.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { heimdalProgram, keytab, lab, peer, program, run } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { call, Frames, handshake } from '../support/frames.ts'
import { handingOver } from '../support/handedover.ts'
import { freshEnv } from '../support/kerb.ts'

type Variables = Readonly<Record<string, string>>

async function python<T>(env: Variables, ...words: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await run('/usr/bin/python3', [program('gss_facts.py'), ...words], { env })
  if (code !== 0) expect.fail(stderr)
  return JSON.parse(stdout) as T
}

async function loggedIn(...options: readonly string[]): Promise<Variables> {
  const env = freshEnv()
  const { code, stderr } = await run('kinit', [...options], { env, input: 'alice-pw\n' })
  if (code !== 0) expect.fail(stderr)
  return env
}

const target = Name.principal('echo/localhost@LAB.TEST')

/** A context after its first token. */
interface Half {
  readonly sent: string
  readonly context: string
}

/** One that went on. */
interface Resumed extends Pick<Half, 'sent'> {
  readonly more: boolean
  readonly message: string
}

interface Facts {
  readonly attributes: readonly string[]
  readonly sasl: string
  readonly name: string
  readonly names: readonly string[]
}

peer(['mit', 'gssapi'], 'what is known of mechanisms (RFC 5587, RFC 5801)', () => {
  test('is what MIT says, but for anonymity, which it does not tell, and messages before a context stands, which we have not', async () => {
    const theirs = await python<Record<string, Facts>>(lab.mit.env, 'mechs')
    for (const { oid, name, saslName, attributes, nameTypes } of mechanisms) {
      const { attributes: told, sasl, name: said, names } = theirs[oid]!
      expect([name, saslName]).toEqual([said, sasl])
      const differs = [attributeOid('anonymousInitiator'), attributeOid('protectionReady'), attributeOid('notDefault')]
      const same = (oids: readonly string[]) => oids.filter((one) => !differs.includes(one)).sort()
      expect(same([...attributes].map(attributeOid))).toEqual(same(told))
      for (const type of [nameTypeOids.hostbased, nameTypeOids.user])
        expect([nameTypes.includes(type), names.includes(type)]).toEqual([true, true])
    }
  })
})

peer('heimdal', "Heimdal's gsstool, which makes no contexts but tells of mechanisms", () => {
  test('has krb5 and SPNEGO under the same identifiers, and the same names for SASL', async () => {
    const { code, stdout } = await run(heimdalProgram('gsstool'), ['mechanisms'])
    expect(code).toBe(0)
    for (const { oid, name, saslName } of mechanisms.filter(({ name }) => name !== 'iakerb')) {
      const line = stdout.split('\n').find((one) => one.startsWith(`${oid.replaceAll('.', ' ')} `))
      expect(line?.toLowerCase()).toContain(` ${name.toLowerCase()} `)
      expect(line?.trim().endsWith(` ${saslName}`), line).toBe(true)
    }
  })
})

peer(['mit', 'gssapi'], 'the edges', () => {
  test.each([
    { flags: ['mutualAuthentication', 'replayDetection'] as GssFlag[] },
    { flags: ['dceStyle', 'outOfSequenceDetection'] as GssFlag[] },
  ])('an initiator that MIT exported half-open goes on here, and ours there: $flags', async ({ flags }) => {
    const env = await loggedIn('alice')
    const kerberos = kerberosOf(env)
    const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const theirs = await python<Half>(env, 'half', 'krb5', target.text, String(flagMask(flags)))
    const acceptor = new SecurityContext({ usage: 'accept', creds: keys, mech: kerberos.krb5 })
    const reply = (await acceptor.step(fromHex(theirs.sent)))!
    const resumed = SecurityContext.import(fromHex(theirs.context), { mech: kerberos.krb5 })
    expect([resumed.usage, resumed.complete, inquireContext(resumed).established]).toEqual(['initiate', false, false])
    const last = await resumed.step(reply)
    if (last) await acceptor.step(last)
    expect(acceptor.unwrap(resumed.wrap(utf8('on')).message).message).toEqual(utf8('on'))
    expect(resumed.unwrap(acceptor.wrap(utf8('and on')).message).message).toEqual(utf8('and on'))
    for (const flag of flags) expect([...resumed.actualFlags]).toContain(flag)

    const creds = await kerberos.acquire({ usage: 'initiate' })
    const ours = new SecurityContext({ usage: 'initiate', name: target, creds, flags, mech: kerberos.krb5 })
    const other = new SecurityContext({ usage: 'accept', creds: keys, mech: kerberos.krb5 })
    const answer = (await other.step(await ours.step()))!
    const there = await python<Resumed>(env, 'resume', 'initiate', toHex(ours.export()), toHex(answer), target.text)
    expect([there.more, there.sent !== '']).toEqual([false, flags.includes('dceStyle')])
    if (there.sent) await other.step(fromHex(there.sent))
    expect(other.unwrap(fromHex(there.message)).message).toEqual(utf8('resumed'))
  })

  test('an acceptor in DCE style that MIT exported half-open goes on here, and ours there', async () => {
    const env = { ...(await loggedIn('alice')), KRB5_KTNAME: keytab('echo') }
    const kerberos = kerberosOf(env)
    const creds = await kerberos.acquire({ usage: 'initiate' })
    const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const begin = () =>
      new SecurityContext({ usage: 'initiate', name: target, creds, flags: ['dceStyle'], mech: kerberos.krb5 })
    const first = begin()
    const theirs = await python<Half>(env, 'half-accept', toHex((await first.step())!))
    const last = (await first.step(fromHex(theirs.sent)))!
    const resumed = SecurityContext.import(fromHex(theirs.context), { mech: kerberos.krb5 })
    expect([resumed.usage, resumed.complete]).toEqual(['accept', false])
    await resumed.step(last)
    expect(resumed.initiatorName.text).toBe('alice@LAB.TEST')
    expect(resumed.unwrap(first.wrap(utf8('on')).message).message).toEqual(utf8('on'))
    expect(first.unwrap(resumed.wrap(utf8('and on')).message).message).toEqual(utf8('and on'))
    // of their own AP-REP sent back nothing is known here but what was in it
    const again = SecurityContext.import(fromHex(theirs.context), { mech: kerberos.krb5 })
    await expect(again.step(fromHex(theirs.sent))).rejects.toMatchObject({ minor: 'KRB_AP_ERR_MUT_FAIL' })

    const second = begin()
    const ours = new SecurityContext({ usage: 'accept', creds: keys, mech: kerberos.krb5 })
    const final = (await second.step(await ours.step(await second.step())))!
    const there = await python<Resumed>(env, 'resume', 'accept', toHex(ours.export()), toHex(final), target.text)
    expect([there.more, there.sent]).toEqual([false, ''])
    expect(second.unwrap(fromHex(there.message)).message).toEqual(utf8('resumed'))
  })

  test('neither exports half-open contexts of SPNEGO, which go on as if nobody had asked', async () => {
    const env = await loggedIn('alice')
    const { spnego } = kerberosOf(env)
    const { context } = await python<Half>(env, 'half', 'spnego', target.text, '2')
    expect(context).toBe('OperationUnavailableError')
    const creds = await kerberosOf(env).acquire({ usage: 'initiate' })
    const ours = new SecurityContext({ usage: 'initiate', name: target, creds, mech: spnego })
    using frames = Frames.to(lab.echo)
    frames.send((await ours.step())!)
    expect(() => ours.export()).toThrow('GSS_S_UNAVAILABLE')
    await ours.step(await frames.receive())
    expect(ours.complete).toBe(true)
  })

  test.each([[[] as GssFlag[]], [['dceStyle'] as GssFlag[]]])(
    'MIT frames its error tokens, with flags %j as well, and we read them',
    async (more) => {
      const env = { ...(await loggedIn('alice')), KRB5_KTNAME: keytab('echo') }
      const kerberos = kerberosOf(env)
      const context = new SecurityContext({
        usage: 'initiate',
        name: Name.principal('echo/localhost@LAB.TEST'),
        creds: await kerberos.acquire({ usage: 'initiate' }),
        flags: ['mutualAuthentication', ...more],
        channelBindings: { applicationData: utf8('ours') },
        mech: kerberos.krb5,
      })
      const token = (await context.step())!
      expect(token[0]).toBe(more.length > 0 ? 0x6e : 0x60)
      const answer = fromHex(await python<string>(env, 'error', toHex(token), toHex(utf8('theirs'))))
      expect([answer[0], toHex(answer.subarray(13, 15))]).toEqual([0x60, '0300'])
      await expect(context.step(answer)).rejects.toMatchObject({ name: 'GssError', cause: { name: 'KrbError' } })
      const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('wrong') } })
      const acceptor = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
      const failure = await acceptor.step(token).catch((error) => error)
      expect([failure.token[0], toHex(failure.token.subarray(13, 15))]).toEqual([0x60, '0300'])
    },
  )

  test('tickets that are handed over in the clear are taken by both, as the authenticator around them is sealed', async () => {
    const env = { ...(await loggedIn('-f', 'alice')), KRB5_KTNAME: keytab('echo') }
    const kerberos = kerberosOf(env)
    const creds = await kerberos.acquire({ usage: 'initiate' })
    const first = new SecurityContext({ usage: 'initiate', name: target, creds, flags: [], mech: kerberos.krb5 })
    const request = (await first.step())!
    const element = creds.element(mechanismOids.krb5)
    if (!(element instanceof Krb5Credential)) expect.unreachable()
    const { key } = element.ticket(parsePrincipal(target.text), Math.floor(Date.now() / 1000))!
    const inClear = makeCred([element.grantingTicket()!], { key: undefined, timestamps: false }, kerberos.env)
    const token = handingOver(request, key, inClear)
    expect(await python<string>(env, 'delegated', toHex(token))).toBe('alice@LAB.TEST')
    const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const acceptor = new SecurityContext({ usage: 'accept', creds: keys, mech: kerberos.krb5 })
    await acceptor.step(token)
    expect(acceptor.delegatedCredentials?.name?.text).toBe('alice@LAB.TEST')
  })

  test('another quality of protection is refused by both', async () => {
    const env = await loggedIn('alice')
    expect(await python(env, 'qop', 'echo/localhost@LAB.TEST')).toBe('BadQoPError')
  })
})

peer(['mit', 'gssapi'], 'nobody in particular (anonymous PKINIT, RFC 8062)', () => {
  const nobody = 'WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS'

  test('our anonymous initiator, at an acceptor of MIT', async () => {
    const kerberos = kerberosOf(freshEnv())
    using login = await kerberos.login('', { anonymous: true })
    const name = Name.principal('echo/localhost@LAB.TEST')
    const context = new SecurityContext({ usage: 'initiate', name, creds: login.credentials, mech: kerberos.krb5 })
    using frames = Frames.to(lab.echo)
    await handshake(frames, context)
    expect([context.actualFlags.has('anonymity'), context.initiatorName.type]).toEqual([true, nameTypeOids.anonymous])
    // MIT's library has the name, but never the flag (GSS_C_ANON_FLAG)
    const info = JSON.parse(fromUtf8(await call(frames, 'i'))) as { initiator: string }
    expect(info.initiator).toBe(nobody)
  })

  test('an anonymous initiator of MIT, at our acceptor', async () => {
    const env = await loggedIn('-n')
    const { code, stdout, stderr } = await run(
      '/usr/bin/python3',
      [
        '-c',
        "import gssapi; print(gssapi.SecurityContext(name=gssapi.Name('echo/localhost@LAB.TEST', gssapi.NameType.kerberos_principal), usage='initiate').step().hex())",
      ],
      { env },
    )
    if (code !== 0) expect.fail(stderr)
    const kerberos = kerberosOf(env)
    const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const context = new SecurityContext({ usage: 'accept', creds, mech: kerberos.spnego })
    await context.step(fromHex(stdout.trim()))
    const { initiatorName, actualFlags } = context
    expect([initiatorName.text, initiatorName.type]).toEqual([nobody, nameTypeOids.anonymous])
    expect(actualFlags.has('anonymity')).toBe(true)
    expect(initiatorAttributes(context.established)).toBeUndefined()
  })
})
