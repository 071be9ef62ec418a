/** One replay cache of two libraries: a C program over MIT krb5 and ours, on the same file at the same moment. */
import { join } from 'node:path'
import { Name, SecurityContext } from 'kerb/gss'
import { replayCacheNamed } from 'kerb/node'
import { expect, test } from 'vitest'
import { keytab, lab, peer, scratch } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { aliceAt, startPeer } from './gssmatrix/pair.ts'

/** How many tokens both get. */
const TOKENS = 100

/** Nanoseconds by which ours gets a token later, so that the moments differ: C takes some 300 microseconds to its cache. */
const STEP = 60_000n

peer(['mit', 'cc'], "MIT's replay cache in a file, and a C program at it", () => {
  test('each token that both get at the same moment is accepted once', async () => {
    const name = `file2:${join(scratch(), 'rcache')}`
    const env = await aliceAt(lab.mit)
    const alice = kerberosOf(env)
    const creds = await alice.acquire({ usage: 'initiate' })
    const ours = kerberosOf(env, { replayCache: replayCacheNamed(name) })
    const keys = await ours.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
    const target = Name.principal('echo/localhost@LAB.TEST')
    using theirs = await startPeer('mit', { ...env, KRB5RCACHENAME: name })
    const outcomes = new Map<string, number>()
    for (let i = 0; i < TOKENS; i++) {
      const one = new SecurityContext({ usage: 'initiate', name: target, creds, flags: [], mech: alice.krb5 })
      const token = (await one.step())!
      await theirs.accept('krb5')
      const them = theirs.step(token).then(
        () => 'theirs',
        () => '',
      )
      const at = process.hrtime.bigint() + BigInt(i % 8) * STEP
      while (process.hrtime.bigint() < at);
      const acceptor = new SecurityContext({ usage: 'accept', creds: keys, mech: ours.krb5 })
      const us = acceptor.step(token).then(
        () => 'ours',
        (error: unknown) => {
          expect(error).toMatchObject({ minor: 'KRB_AP_ERR_REPEAT' })
          return ''
        },
      )
      const outcome = (await them) + (await us)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    // Either gets some of them first; how many is up to the machine.
    expect([...outcomes.keys()].filter((outcome) => outcome !== 'ours' && outcome !== 'theirs')).toEqual([])
  })
})
