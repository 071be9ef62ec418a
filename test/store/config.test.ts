import { describe, expect, test } from 'vitest'
import { run } from '../../src/effects/index.ts'
import { appDefault } from '../../src/store/appdefaults.ts'
import { configOfRealm, formatConfig, krbConfig, readConfig } from '../../src/store/config.ts'
import { parseEnctypes } from '../../src/store/enctypelist.ts'
import { realmCandidates, realmOfHost } from '../../src/store/hostrealm.ts'
import type { KrbConfig } from '../../src/store/options.ts'
import { type ConfigQuestions, loadProfile, parseProfile } from '../../src/store/profile.ts'
import { parseKdcAddress } from '../../src/store/servers.ts'
import { parseDuration } from '../../src/store/values.ts'

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

  test('what is final shuts out what later files say of it, as libkrb5 1.20.1 reads it', async () => {
    const later = '[libdefaults]\ndefault_realm = B\n[realms]\nX = {\nkdc = b\n}\nY = {\nkdc = y\n}\n'
    const files = {
      subsection: '[realms]\nX = {\nkdc = a\n}*\n',
      name: '[realms]\nX* = {\nkdc = a\n}\n',
      section: '[realms]*\nX = {\nkdc = a\n}\n',
      relation: '[libdefaults]\ndefault_realm* = A\n',
      later,
    }
    const kdcs = async (name: string) =>
      [...(await load(files, name, 'later')).realms].map(([realm, { kdcs }]) => [realm, kdcs.map(({ host }) => host)])
    expect(await kdcs('subsection')).toEqual([
      ['X', ['a']],
      ['Y', ['y']],
    ])
    expect(await kdcs('name')).toEqual([
      ['X', ['a']],
      ['Y', ['y']],
    ])
    expect(await kdcs('section')).toEqual([['X', ['a']]])
    expect((await load(files, 'relation', 'later')).defaultRealm).toBe('A')
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
    ['a loop', { a: 'include b\n', b: 'include a\n' }, /b:1: a includes itself/],
    ['an included file that is not there', { a: 'include b\n' }, /a:1: b is included, but there is no such file/],
    ['a relation outside a section', { a: 'x = y\n' }, /a:1: x = y stands before any \[section\]/],
    ['an open brace', { a: '[realms]\nX = {\nkdc = h\n' }, /a:2: the brace of X is never closed/],
    ['a brace too many', { a: '[realms]\n}\n' }, /a:2: this brace closes nothing/],
    ['a line that is nothing', { a: '[realms]\nhello\n' }, /a:2: hello is no relation; write name = value/],
    [
      'a wrong number',
      { a: '[libdefaults]\n\nudp_preference_limit = many\n' },
      /a:3: udp_preference_limit: "many" is not a whole number/,
    ],
    [
      'a wrong truth',
      { a: '[libdefaults]\nforwardable = maybe\n' },
      /a:2: forwardable: "maybe" is neither true nor false/,
    ],
    [
      'a wrong duration',
      { a: '[libdefaults]\nticket_lifetime = soon\n' },
      /a:2: ticket_lifetime: "soon" is not a duration/,
    ],
    ['a wrong KDC', { a: '[realms]\nX = {\nkdc = a:b:99999\n}\n' }, /a:3: kdc: /],
    ['enctypes that leave none', { a: '[libdefaults]\npermitted_enctypes = des-cbc-crc\n' }, /leaves no enctype/],
    ['braces within braces without end', { a: `[realms]\n${'x = {\n'.repeat(50)}` }, /more than 16 braces/],
  ])('names file and line of %s', async (_, files, message) =>
    expect(load(files as unknown as Record<string, string>, 'a')).rejects.toThrow(
      expect.objectContaining({ name: 'ConfigError', message: expect.stringMatching(message) }),
    ),
  )

  test('whole folders may be in the list of files, too, as KRB5_CONFIG has them', async () => {
    const files = { '/d/b': '[libdefaults]\ndefault_realm = B\n', '/d/a': '[libdefaults]\ndefault_realm = A\n' }
    expect((await load(files, '/d', '/nowhere')).defaultRealm).toBe('A')
  })

  test('sections and options that nobody knows, modules and Kerberos 4 are let be', () => {
    const { realms } = config(`module /usr/lib/x.so:y
[strange]
  a = b
  c = {
    d = {
      e = f
    }
  }
[realms]
  X = {
    kdc = http://plain.example/
    kdc = h
    v4_instance_convert = {
      mit = mit.edu
    }
    unheard_of = 1
  }
[logging]
  default = SYSLOG:INFO:DAEMON
[dbmodules]
  LDAP = {
    db_library = kldap
  }
`)
    expect(realms.get('X')!.kdcs).toEqual([{ host: 'h', port: 88 }])
  })

  test('every server of a realm, proxies among them', () => {
    const { realms } = config(`[realms]
  X = {
    kdc = https://proxy.example/KdcProxy
    kdc = https://[::1]:8443
    kdc = a, b:750
    primary_kdc = p
    master_kdc = m
    kpasswd_server = k
    admin_server = s
    http_anchors = FILE:/a.pem
    http_anchors = DIR:/b
    sitename = Oslo
    auth_to_local = RULE:[1:$1]
    auth_to_local = DEFAULT
    auth_to_local_names = {
      alice = al
    }
  }
`)
    expect(realms.get('X')).toEqual({
      kdcs: [
        { host: 'proxy.example', port: 443, transport: 'https', path: '/KdcProxy' },
        { host: '::1', port: 8443, transport: 'https', path: '/' },
        { host: 'a', port: 88 },
        { host: 'b', port: 750 },
      ],
      primaryKdcs: [{ host: 'p', port: 88 }],
      kpasswdServers: [{ host: 'k', port: 464 }],
      adminServers: [{ host: 's', port: 749 }],
      httpAnchors: ['FILE:/a.pem', 'DIR:/b'],
      siteName: 'Oslo',
      authToLocal: ['RULE:[1:$1]', 'DEFAULT'],
      authToLocalNames: new Map([['alice', 'al']]),
    })
  })

  test('what is said of a realm alone: in libdefaults first, then in realms, then of all (krb5.conf(5), PKINIT options)', () => {
    const all = config(`[libdefaults]
  forwardable = true
  pkinit_anchors = DIR:/all
  pkinit_eku_checking = none
  pkinit_dh_min_bits = P-384
  A = {
    forwardable = false
    pkinit_anchors = FILE:/a
  }
[realms]
  A = {
    pkinit_anchors = FILE:/not
  }
  B = {
    pkinit_anchors = FILE:/b
    pkinit_anchors = FILE:/c
    disable_encrypted_timestamp = true
  }
`)
    const fields = (realm: string) => {
      const { forwardable, pkinitAnchors, disableEncryptedTimestamp } = configOfRealm(all, realm)
      return [forwardable, pkinitAnchors, disableEncryptedTimestamp]
    }
    expect(['A', 'B', 'C'].map(fields)).toEqual([
      [false, ['FILE:/a'], false],
      [true, ['FILE:/b', 'FILE:/c'], true],
      [true, ['DIR:/all'], false],
    ])
    expect([all.pkinitEkuChecking, all.pkinitDhMinBits]).toEqual(['none', 'P-384'])
  })

  test('capaths, plugins and numbers', () => {
    const { capaths, plugins, kdcDefaultOptions, preferredPreauthTypes, spakeGroups, followClock } = config(`
[libdefaults]
  kdc_default_options = 0x40800000
  preferred_preauth_types = 151, 138 2
  spake_preauth_groups = P-256 edwards25519
  kdc_timesync = 0
[capaths]
  A = {
    B = .
    C = B
    C = D
  }
[plugins]
  clpreauth = {
    disable = pkinit
    enable_only = spake
    module = x:/y.so
  }
`)
    expect(capaths.get('A')).toEqual(
      new Map([
        ['B', ['.']],
        ['C', ['B', 'D']],
      ]),
    )
    expect(plugins.get('clpreauth')).toEqual({ disable: ['pkinit'], enableOnly: ['spake'] })
    expect([...kdcDefaultOptions]).toEqual(['forwardable', 'renewable'])
    expect([preferredPreauthTypes, spakeGroups, followClock]).toEqual([[151, 138, 2], ['P-256', 'edwards25519'], false])
  })

  test('appdefaults in the order of krb5.conf(5), by its own example', () => {
    const all = config(`[appdefaults]
  telnet = {
    ATHENA.MIT.EDU = {
      option1 = false
    }
  }
  telnet = {
    option1 = true
    option2 = true
  }
  ATHENA.MIT.EDU = {
    option2 = false
  }
  option2 = true
`)
    const ask = (application: string, realm: string, option: string) => appDefault(all, { application, realm, option })
    expect([ask('telnet', 'EXAMPLE.COM', 'option1'), ask('telnet', 'EXAMPLE.COM', 'option2')]).toEqual(['true', 'true'])
    expect([ask('telnet', 'ATHENA.MIT.EDU', 'option1'), ask('telnet', 'ATHENA.MIT.EDU', 'option2')]).toEqual([
      'false',
      'true',
    ])
    expect([ask('x', 'ATHENA.MIT.EDU', 'option2'), ask('x', 'OTHER', 'option2'), ask('x', 'OTHER', 'option1')]).toEqual(
      ['false', 'true', undefined],
    )
  })

  test('realms that a host may be in by its domains, as realm_try_domains has it', () => {
    const candidates = (realmTryDomains: number, host = 'www.sub.lab.test') =>
      realmCandidates({ realmTryDomains }, host)
    expect(candidates(-1)).toEqual([])
    expect(candidates(0)).toEqual(['WWW.SUB.LAB.TEST'])
    expect(candidates(9)).toEqual(['WWW.SUB.LAB.TEST', 'SUB.LAB.TEST', 'LAB.TEST'])
    expect(candidates(9, '192.0.2.1')).toEqual([])
  })

  test('what is written is read again', () => {
    const made = krbConfig({
      defaultRealm: 'LAB.TEST',
      realms: { 'LAB.TEST': { kdc: ['127.0.0.1:88', 'tcp/[::1]:750'] } },
      domainRealm: { localhost: 'LAB.TEST' },
    })
    expect(config(formatConfig(made))).toEqual(made)
    const rc4 = parseEnctypes('rc4 aes256-sha2')
    const odd: KrbConfig = {
      ...made,
      ...{
        forwardable: true,
        qualifyShortname: '',
        pkinitAnchors: ['FILE:/a b', 'DIR:/c'],
        preferredPreauthTypes: [2],
      },
      ...{
        permittedEnctypes: rc4,
        tktEnctypes: rc4,
        tgsEnctypes: rc4.slice(1),
        kdcDefaultOptions: new Set(['forwardable'] as const),
      },
      byRealm: new Map([['LAB.TEST', { proxiable: true }]]),
      capaths: new Map([['A', new Map([['B', ['C', 'D']]])]]),
    }
    expect(config(formatConfig(odd))).toEqual(odd)
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
const listed = (text: string) => config(`[libdefaults]\n${text}\n`).permittedEnctypes.map(({ id }) => id)
test.each([
  ['', [18, 17, 20, 19]],
  ['permitted_enctypes = DEFAULT', [18, 17, 20, 19]],
  ['permitted_enctypes = aes256-cts aes128-sha2', [18, 19]],
  ['permitted_enctypes = aes -aes256-cts-hmac-sha1-96', [17, 20, 19]],
  ['permitted_enctypes = aes256-sha1, nonsense, AES256-SHA2', [18, 20]],
  ['permitted_enctypes = DEFAULT +camellia', [18, 17, 20, 19, 26, 25]],
  ['permitted_enctypes = aes rc4 des3', [18, 17, 20, 19]],
  ['permitted_enctypes = rc4 aes256-sha1\nallow_rc4 = true', [23, 18]],
  ['allow_rc4 = true\nallow_des3 = yes', [18, 17, 20, 19, 16, 23]],
  ['allow_weak_crypto = true', [18, 17, 20, 19]],
])('the enctypes of %j are %j', (text, ids) => expect(listed(text)).toEqual(ids))
test('what is asked for is what is permitted, unless said', () => {
  const { tktEnctypes, tgsEnctypes } = config(
    '[libdefaults]\npermitted_enctypes = aes256-sha1 aes128-sha1\ndefault_tkt_enctypes = aes128-sha1 rc4\n',
  )
  expect([tktEnctypes, tgsEnctypes].map((list) => list.map(({ id }) => id))).toEqual([[17], [18, 17]])
})
test.each(['', 'a b', 'h:0', 'h:70000', 'ftp/h', '[::1'])('%j is no KDC', (text) =>
  expect(() => parseKdcAddress(text)).toThrow(TypeError),
)
