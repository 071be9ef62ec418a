import { describe, expect, test } from 'vitest'
import { SecurityContext } from '../../src/gss/context.ts'
import { Credentials, type Usage } from '../../src/gss/credentials.ts'
import { GssError } from '../../src/gss/error.ts'
import type { BoundMechanism, EstablishedContext, Leg } from '../../src/gss/mechanism.ts'
import { Name } from '../../src/gss/name.ts'

const established = (encrypts = true) =>
  ({
    flags: new Set(encrypts ? ['confidentiality'] : []),
    wrap: (message, encrypt) => ({ message: Uint8Array.of(encrypt ? 1 : 0, ...message), encrypted: encrypt }),
    unwrap: (token) => ({ message: token.subarray(1), encrypted: token[0] === 1, qop: 0 }),
    [Symbol.dispose]() {},
  }) as Partial<EstablishedContext> as EstablishedContext

/** A mechanism whose handshake gives these legs, one a step. */
function scripted(legs: readonly (Leg | Error)[], disposed: string[] = []): BoundMechanism {
  const handshake = () => {
    const left = [...legs]
    return {
      async step() {
        const leg = left.shift()!
        if (leg instanceof Error) throw leg
        return leg
      },
      [Symbol.dispose]: () => void disposed.push('handshake'),
    }
  }
  return {
    oid: '1.2',
    aliases: [],
    name: 'scripted',
    canonicalize: (name) => name,
    initiate: handshake,
    accept: handshake,
  }
}

const credentials = (usage: Usage) =>
  new Credentials([{ mechanism: '1.2', usage, name: undefined, endtime: undefined, [Symbol.dispose]() {} }])
const initiator = (mech: BoundMechanism) =>
  new SecurityContext({ usage: 'initiate', name: Name.hostbased('HTTP@www'), creds: credentials('initiate'), mech })

describe('a security context (RFC 2743 §2.2)', () => {
  test('steps until it is complete, and not further', async () => {
    const context = initiator(scripted([{ token: Uint8Array.of(9) }, { context: established() }]))
    expect(await context.step()).toEqual(Uint8Array.of(9))
    expect(context.complete).toBe(false)
    expect(await context.step(Uint8Array.of(1))).toBeUndefined()
    expect(context.complete).toBe(true)
    await expect(context.step(Uint8Array.of(1))).rejects.toMatchObject({ major: 'GSS_S_NO_CONTEXT' })
  })

  test('half open, it can be asked anything and protects nothing', async () => {
    const context = initiator(scripted([{ token: Uint8Array.of(9) }]))
    await context.step()
    for (const use of [
      () => context.wrap(new Uint8Array(1)),
      () => context.initiatorName,
      () => context.actualFlags,
      () => context.endtime,
    ])
      expect(use).toThrow(expect.objectContaining({ major: 'GSS_S_NO_CONTEXT' }))
  })

  test('after a failure it is of no more use, keeps the cause, and its handshake is wiped', async () => {
    const disposed: string[] = []
    const failure = new GssError('GSS_S_BAD_SIG')
    const context = initiator(scripted([failure], disposed))
    await expect(context.step()).rejects.toBe(failure)
    expect(disposed).toEqual(['handshake'])
    await expect(context.step()).rejects.toMatchObject({ major: 'GSS_S_NO_CONTEXT', cause: failure })
    expect(() => context.wrap(new Uint8Array(1))).toThrow(expect.objectContaining({ cause: failure }))
  })

  test('two steps at a time are refused', async () => {
    const context = initiator(scripted([{ token: Uint8Array.of(9) }, { context: established() }]))
    const first = context.step()
    await expect(context.step()).rejects.toMatchObject({ major: 'GSS_S_NO_CONTEXT' })
    expect(await first).toEqual(Uint8Array.of(9))
  })

  test('encrypts and decrypts as the context has it, and refuses a signed message where encryption was agreed on', async () => {
    const context = initiator(scripted([{ context: established() }]))
    await context.step()
    expect(context.encrypt(Uint8Array.of(7))).toEqual(Uint8Array.of(1, 7))
    expect(context.decrypt(Uint8Array.of(1, 7))).toEqual(Uint8Array.of(7))
    expect(() => context.decrypt(Uint8Array.of(0, 7))).toThrow('ENCRYPTION_NOT_USED')
    const signing = initiator(scripted([{ context: established(false) }]))
    await signing.step()
    expect(signing.encrypt(Uint8Array.of(7))).toEqual(Uint8Array.of(0, 7))
    expect(signing.decrypt(Uint8Array.of(0, 7))).toEqual(Uint8Array.of(7))
  })

  test('wants credentials of its usage', () => {
    const mech = scripted([])
    expect(() => new SecurityContext({ usage: 'accept', creds: credentials('initiate'), mech })).toThrow(
      'GSS_S_NO_CRED',
    )
    expect(new SecurityContext({ usage: 'accept', creds: credentials('both'), mech }).complete).toBe(false)
  })

  test('disposed of while a step runs, it ends with that step, and the keys that came of it are wiped', async () => {
    let wiped = false
    const late = { ...established(), [Symbol.dispose]: () => void (wiped = true) }
    const context = initiator(scripted([{ context: late }]))
    const step = context.step()
    context[Symbol.dispose]()
    await expect(step).rejects.toMatchObject({ major: 'GSS_S_NO_CONTEXT' })
    expect([wiped, context.complete]).toEqual([true, false])
  })

  test('disposed of, it is over', async () => {
    const context = initiator(scripted([{ context: established() }]))
    await context.step()
    context[Symbol.dispose]()
    expect(context.complete).toBe(false)
    expect(() => context.wrap(new Uint8Array(1))).toThrow(GssError)
  })
})

describe('names (RFC 2743 §1.1.5)', () => {
  test('are equal only in the same syntax', () => {
    expect(Name.hostbased('HTTP@www').equals(Name.hostbased('HTTP@www'))).toBe(true)
    expect(Name.hostbased('HTTP@www').equals(Name.principal('HTTP@www'))).toBe(false)
  })
  test.each(['', 'a\0b'])('%j is none', (text) => expect(() => Name.principal(text)).toThrow('GSS_S_BAD_NAME'))
})

test('a quality of protection other than the default is refused (RFC 2743 §1.2.4, GSS_S_BAD_QOP)', async () => {
  const context = new SecurityContext({
    usage: 'initiate',
    name: Name.hostbased('a@b'),
    creds: credentials('initiate'),
    mech: scripted([{ context: established() }]),
  })
  await context.step()
  const data = { type: 'data', octets: Uint8Array.of(1) } as const
  for (const call of [
    () => context.wrap(Uint8Array.of(1), true, 1),
    () => context.sign(Uint8Array.of(1), 1),
    () => context.wrapIov([{ type: 'header' }, data], true, 1),
    () => context.signIov([data], 1),
    () => context.wrapSizeLimit(100, true, 1),
  ])
    expect(call).toThrow('GSS_S_BAD_QOP')
  expect(context.wrap(Uint8Array.of(1), true, 0).encrypted).toBe(true)
})
