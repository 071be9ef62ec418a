/** Passwords in other people's clients, at our server, which holds them against MIT's KDC. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startChromium } from '../lab/chromium.ts'
import { keytab, lab, peer, run, scratch } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { certificate } from '../support/tls.ts'
import { openWebsite, type WebsiteOptions } from '../support/website.ts'

const openSite = (options: WebsiteOptions = {}) =>
  openWebsite({
    ...{ kerberos: kerberosOf(lab.mit.env), store: { keytab: keytab('HTTP') }, basic: { realm: 'Intranet' } },
    ...options,
  })
const codes = (errors: readonly unknown[]) =>
  errors.map((error) => (error as { readonly cause?: { readonly code?: string } }).cause?.code)

peer(['mit', 'curl'], 'curl with a password', () => {
  async function curl(url: string, user: string, ...args: readonly string[]) {
    const ca = join(scratch(), 'ca.pem')
    writeFileSync(ca, certificate)
    const own = ['-s', '--basic', '-u', user, '--cacert', ca, '-w', '\n%{http_code}']
    return (await run('curl', [...own, ...args, url], { env: freshEnv() })).stdout
  }

  test.each([
    ['alice:alice-pw', 'alice@LAB.TEST', 'a name'],
    ['alice@LAB.TEST:alice-pw', 'alice@LAB.TEST', 'a name with its realm'],
    ['mia@MID.TEST:mia-pw', 'mia@MID.TEST', 'a name of another realm, that vouches for it'],
    ['jörg:jörg-pw', 'jörg@LAB.TEST', 'octets of UTF-8 in both'],
    ['with space:with space-pw', 'with space@LAB.TEST', 'blanks in both'],
  ])('%s is let in as %s: %s', async (user, initiator) => {
    using site = await openSite()
    expect(await curl(site.url, user)).toBe(`Hello, ${initiator}\n200`)
    expect([site.visits, site.errors]).toEqual([[{ scheme: 'Basic', cookie: false, by: 'basic' }], []])
  })

  test.each([
    ['alice:alice-PW', 'KDC_ERR_PREAUTH_FAILED', 'a wrong password'],
    ['nobody:alice-pw', 'KDC_ERR_C_PRINCIPAL_UNKNOWN', 'a name that there is not'],
    ['pwexpired:pwexpired-pw', 'KDC_ERR_KEY_EXPIRED', 'a password that has expired'],
    ['mustchange:mustchange-pw', 'KDC_ERR_KEY_EXPIRED', 'a password that is to be changed'],
    ['expired:expired-pw', 'KDC_ERR_NAME_EXP', 'an account that has expired'],
    ['locked:locked-pw', 'KDC_ERR_CLIENT_REVOKED', 'an account that is locked'],
  ])('%s is not let in, and %s is for the log: %s', async (user, code) => {
    using site = await openSite()
    const answer = await curl(site.url, user, '-i')
    expect(answer).toMatch(
      /^HTTP\/1\.1 401 .*\r\n(?:.*\r\n)*www-authenticate: Basic realm="Intranet", charset="UTF-8"/i,
    )
    expect(answer).not.toMatch(/KDC_ERR|expired|locked|unknown/i)
    expect([site.reasons, codes(site.errors)]).toEqual([['password'], [code]])
  })

  test('octets that are no UTF-8, as of Latin-1, are not held against the KDC', async () => {
    using site = await openSite()
    const authorization = `Authorization: Basic ${Buffer.from('jörg:jörg-pw', 'latin1').toString('base64')}`
    expect(await curl(site.url, '', '-H', authorization)).toMatch(/401$/)
    expect(site.reasons).toEqual(['malformed'])
  })

  test('over plain http is told nothing of passwords, and refused, unless that is allowed', async () => {
    using site = await openSite({ tls: false })
    expect(await curl(site.url, 'alice:alice-pw', '-i')).toMatch(/401$/)
    expect(await curl(site.url, 'alice:alice-pw', '-i')).not.toMatch(/www-authenticate: Basic/i)
    expect(site.reasons).toEqual(['insecure', 'insecure'])
    using lenient = await openSite({ tls: false, basic: { allowInsecure: true } })
    expect(await curl(lenient.url, 'alice:alice-pw')).toBe('Hello, alice@LAB.TEST\n200')
  })

  test('that a KDC takes which does not know the server’s key is let in nowhere', async () => {
    using site = await openSite({ store: { keytab: keytab('wrong') } })
    expect(await curl(site.url, 'alice:alice-pw')).toMatch(/401$/)
    expect(site.reasons).toEqual(['kdc'])
  })
})

peer(['mit', 'chromium'], 'Chromium’s dialog', () => {
  const dialog = 'basic Intranet'

  test('comes up where there are no tickets; who is who is asked once', async () => {
    using site = await openSite()
    await using browser = await startChromium(['--ignore-certificate-errors'], freshEnv())
    expect(await browser.open(site.url)).toMatchObject({ status: 401 })
    expect(await browser.open(site.url, { username: 'jörg', password: 'jörg-pW' })).toMatchObject({ status: 401 })
    expect([site.reasons, codes(site.errors)]).toEqual([['password'], ['KDC_ERR_PREAUTH_FAILED']])
    expect(browser.dialogs).toEqual([dialog, dialog, dialog])
    const hello = { status: 200, text: 'Hello, jörg@LAB.TEST' }
    expect(await browser.open(site.url, { username: 'jörg', password: 'jörg-pw' })).toEqual(hello)
    expect(await browser.open(`${site.url}more`)).toEqual(hello)
    expect(browser.dialogs).toHaveLength(4)
    expect(site.visits.at(-1)).toEqual({ scheme: 'Basic', cookie: false, by: 'basic' })
  })
})
