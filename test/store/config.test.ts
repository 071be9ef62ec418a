import { describe, expect, test } from 'vitest'
import { run } from '../../src/effects/index.ts'
import { formatConfig, krbConfig, readConfig, realmOfHost } from '../../src/store/config.ts'
import { type ConfigQuestions, loadProfile, parseProfile } from '../../src/store/profile.ts'
import { parseDuration, parseEnctypes, parseKdcAddress } from '../../src/store/values.ts'

const config = (text: string) => readConfig(parseProfile(text))
const load = async (files: Record<string, string>, ...paths: string[]) =>
  readConfig(
    await run<ConfigQuestions, Awaited<ReturnType<typeof loadProfile> extends Generator<unknown, infer T> ? T : never>>(
      loadProfile(paths),
      {
        readFile: ({ path }) => files[path],
        listDirectory: ({ path }) => {
          const names = Object.keys(files).flatMap((name) =>
            name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : [],
          )
          return names.length ? names : undefined
        },
      },
    ),
  )

describe('krb5.conf (krb5.conf(5))', () => {
  test('as distributions write it', () => {
    const { defaultRealm, realms, domainRealm, ticketLifetime, renewLifetime, forwardable, defaultCcacheName } =
      config(`
# a comment
; another
[libdefaults]
\tdefault_realm = LAB.TEST
    ticket_lifetime = 24h
    renew_lifetime = 7d
    forwardable = true
    default_ccache_name = FILE:/tmp/krb5cc_%{uid}
    an_option_of_the_future = whatever
[realms]
  LAB.TEST = {
    kdc = kdc1.lab.test
    kdc = kdc2.lab.test:750
    kdc = tcp/[::1]:88
    admin_server = kdc1.lab.test
    auth_to_local = {
      RULE = x
    }
  }
  EMPTY.TEST = {
  }
[domain_realm]
  .lab.test = LAB.TEST
  lab.test = LAB.TEST
  Odd.Example = OTHER.TEST
[appdefaults]
  pam = { 
    debug = false
  }
[logging]
  default = FILE:/var/log/krb5.log
`)
    expect([defaultRealm, ticketLifetime, renewLifetime, forwardable, defaultCcacheName]).toEqual([
      'LAB.TEST',
      86_400,
      604_800,
      true,
      'FILE:/tmp/krb5cc_%{uid}',
    ])
    expect(realms.get('LAB.TEST')!.kdcs).toEqual([
      { host: 'kdc1.lab.test', port: 88 },
      { host: 'kdc2.lab.test', port: 750 },
      { host: '::1', port: 88, transport: 'tcp' },
    ])
    expect(realms.get('EMPTY.TEST')!.kdcs).toEqual([])
    expect(domainRealm.get('odd.example')).toBe('OTHER.TEST')
  })

  test('finds the realm of a host by its name, then by its domains', () => {
    const rules = krbConfig({ domainRealm: { '.lab.test': 'LAB', 'www.lab.test': 'WEB', 'sub.lab.test': 'SUB' } })
    const hosts = {
      'www.lab.test': 'WEB',
      'WWW.LAB.TEST.': 'WEB',
      'a.lab.test': 'LAB',
      'a.sub.lab.test': 'SUB',
      'lab.test': '',
      'notlab.test': '',
    }
    for (const [host, realm] of Object.entries(hosts)) expect([host, realmOfHost(rules, host)]).toEqual([host, realm])
  })

  test('a braced value may begin on the next line, and quotes keep blanks', () => {
    const { realms, defaultRealm } = config('[libdefaults]\n default_realm = "A B"\n[realms]\n X =\n {\n kdc = h\n }\n')
    expect([defaultRealm, realms.get('X')!.kdcs]).toEqual(['A B', [{ host: 'h', port: 88 }]])
  })

  test('sections and realms that come twice are one', () => {
    const { realms, defaultRealm } = config(
      '[libdefaults]\ndefault_realm = A\n[realms]\nX = {\nkdc = a\n}\n[libdefaults]\ndefault_realm = B\n[realms]\nX = {\nkdc = b\n}\n',
    )
    expect([defaultRealm, realms.get('X')!.kdcs.map(({ host }) => host)]).toEqual(['A', ['a', 'b']])
  })

  test('what is final shuts out what comes later', () => {
    const { realms, defaultRealm } = config(
      '[libdefaults]\ndefault_realm* = A\n[realms]\nX = {\nkdc = a\n}*\n[realms]\nX = {\nkdc = b\n}\n',
    )
    expect([defaultRealm, realms.get('X')!.kdcs.length]).toEqual(['A', 1])
    const section = config('[realms]*\nX = {\nkdc = a\n}\n[realms]\nY = {\nkdc = b\n}\n')
    expect([...section.realms.keys()]).toEqual(['X'])
  })

  test('files include files and folders, in order; what is first wins; what is missing is empty', async () => {
    const files = {
      '/etc/krb5.conf':
        'includedir /etc/krb5.conf.d\n[libdefaults]\ninclude /etc/extra\ndefault_realm = LAST\nticket_lifetime = 1h\n',
      '/etc/krb5.conf.d/b.conf': '[libdefaults]\ndefault_realm = B\n',
      '/etc/krb5.conf.d/a.conf': '[libdefaults]\ndefault_realm = A\n',
      '/etc/krb5.conf.d/backup~': '[libdefaults]\ndefault_realm = NO\n',
      '/etc/krb5.conf.d/.hidden.conf': '[libdefaults]\ndefault_realm = NO\n',
      '/etc/extra': '[libdefaults]\nticket_lifetime = 2h\n',
    }
    expect(await load(files, '/nowhere', '/etc/krb5.conf')).toMatchObject({ defaultRealm: 'A', ticketLifetime: 7200 })
  })

  test.each([
    ['a loop', { a: 'include b\n', b: 'include a\n' }, /without end/],
    ['an included file that is not there', { a: 'include b\n' }, /b: the included file cannot be read/],
    ['a relation outside a section', { a: 'x = y\n' }, /a:1: this stands before any/],
    ['an open brace', { a: '[realms]\nX = {\nkdc = h\n' }, /a:2: the braces that open here are never closed/],
    ['a brace too many', { a: '[realms]\n}\n' }, /a:2: this brace closes nothing/],
    ['a line that is nothing', { a: '[realms]\nhello\n' }, /a:2: not a relation: hello/],
    [
      'a wrong number',
      { a: '[libdefaults]\n\nudp_preference_limit = many\n' },
      /a:3: udp_preference_limit: many is not a whole number/,
    ],
    [
      'a wrong truth',
      { a: '[libdefaults]\nforwardable = maybe\n' },
      /a:2: forwardable: maybe is neither true nor false/,
    ],
    [
      'a wrong duration',
      { a: '[libdefaults]\nticket_lifetime = soon\n' },
      /a:2: ticket_lifetime: soon is not a duration/,
    ],
    ['a wrong KDC', { a: '[realms]\nX = {\nkdc = a:b:99999\n}\n' }, /a:3: kdc: /],
    ['enctypes that leave none', { a: '[libdefaults]\npermitted_enctypes = des-cbc-crc\n' }, /leaves no enctype/],
    ['braces within braces without end', { a: `[realms]\n${'x = {\n'.repeat(50)}` }, /more than 16 braces/],
  ])('names file and line of %s', async (_, files, message) =>
    expect(load(files as unknown as Record<string, string>, 'a')).rejects.toThrow(
      expect.objectContaining({ name: 'ConfigError', message: expect.stringMatching(message) }),
    ),
  )

  test('what is written is read again', () => {
    const made = krbConfig({
      defaultRealm: 'LAB.TEST',
      realms: { 'LAB.TEST': { kdc: ['127.0.0.1:88', 'tcp/[::1]:750'] } },
      domainRealm: { localhost: 'LAB.TEST' },
    })
    expect(config(formatConfig(made))).toEqual(made)
  })
})

test.each([
  ['36000', 36_000],
  ['10h', 36_000],
  ['1d 2h', 93_600],
  ['1d2h3m4s', 93_784],
  ['1:30', 5400],
  ['0:00:05', 5],
])('%s is %i s', (text, seconds) => expect(parseDuration(text)).toBe(seconds))
test.each([
  ['DEFAULT', [18, 17, 20, 19]],
  ['aes256-cts aes128-sha2', [18, 19]],
  ['aes -aes256-cts-hmac-sha1-96', [17, 20, 19]],
  ['aes256-sha1, nonsense, AES256-SHA2', [18, 20]],
])('the enctypes %s', (text, ids) => expect(parseEnctypes(text).map(({ id }) => id)).toEqual(ids))
test.each(['', 'a b', 'h:0', 'h:70000', 'ftp/h', '[::1'])('%j is no KDC', (text) =>
  expect(() => parseKdcAddress(text)).toThrow(TypeError),
)
