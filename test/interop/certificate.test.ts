/** `kerb kinit` with MIT's options for PKINIT, at MIT's KDC; what it leaves in the cache, as MIT's klist reads it (kinit(1), klist(1)). */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lab, peer, run } from '../lab/index.ts'
import { freshEnv, kerb } from '../support/kerb.ts'

const pki = (name: string) => join(lab.mit.dir, 'pki', name)
const files = (name: string) => `FILE:${pki(`${name}.pem`)},${pki(`${name}.key`)}`
const input = 'alice-pw\n'
const done = { code: 0, stderr: '' }

peer('mit', 'kerb kinit', () => {
  test('-X X509_user_identity logs in by certificate, and MIT goes on with the ticket', async () => {
    const env = freshEnv()
    expect(await kerb(['kinit', '-X', `X509_user_identity=${files('pkuser')}`, 'pkuser'], { env })).toMatchObject(done)
    expect(await run('kvno', ['host/localhost'], { env })).toMatchObject(done)
    const { stdout } = await run('klist', ['-C'], { env })
    expect(stdout).toMatch(/fast_avail\(krbtgt\/LAB\.TEST@LAB\.TEST\) = yes/)
    expect(stdout).toMatch(/pa_type\(krbtgt\/LAB\.TEST@LAB\.TEST\) = 16/)
  })

  test('-X X509_anchors says whom to believe, in place of krb5.conf', async () => {
    const args = ['-X', `X509_user_identity=${files('pkuser')}`, '-X', `X509_anchors=FILE:${pki('rogue-ca.pem')}`]
    const { code, stderr } = await kerb(['kinit', ...args, 'pkuser'], { env: freshEnv() })
    expect([code, stderr]).toEqual([1, expect.stringContaining('KDC_ERR_KDC_NOT_TRUSTED')])
  })

  test.each(['flag_RSA_PROTOCOL=yes', 'colour=red'])('-X %s is refused', async (option) => {
    const { code, stderr } = await kerb(['kinit', '-X', option, 'pkuser'], { env: freshEnv() })
    expect([code, stderr]).toEqual([1, expect.stringContaining(option.split('=')[0]!)])
  })

  test('-n gets a ticket of nobody, and kvno of both one for a service with it', async () => {
    const env = freshEnv()
    expect(await kerb(['kinit', '-n'], { env })).toMatchObject(done)
    expect(await kerb(['kvno', 'host/localhost@LAB.TEST'], { env })).toMatchObject(done)
    expect(await run('kvno', ['host/localhost'], { env })).toMatchObject(done)
    const { stdout } = await run('klist', ['-C', '-f'], { env })
    expect(stdout).toContain('Default principal: WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS')
    expect(stdout).toContain('start_realm = LAB.TEST')
  })

  test("-n, as MIT's kinit, arms a login: --anonymous-armor gets one by itself", async () => {
    const env = { ...freshEnv(), KRB5_TRACE: '/dev/stderr' }
    const { code, stderr } = await kerb(['kinit', '--anonymous-armor', 'alice'], { env, input })
    expect(code).toBe(0)
    expect(stderr).toMatch(/Going through FAST with the ticket WELLKNOWN\/ANONYMOUS@WELLKNOWN:ANONYMOUS/)
    const theirs = freshEnv()
    expect((await run('kinit', ['-n'], { env: theirs })).code).toBe(0)
    const armed = await kerb(['kinit', '-T', theirs['KRB5CCNAME']!, 'alice'], { env, input })
    expect([armed.code, armed.stderr]).toEqual([0, expect.stringMatching(/Going through FAST/)])
  })
})
