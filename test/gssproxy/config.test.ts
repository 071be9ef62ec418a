/** gssproxy.conf: the settings of gssproxy 0.9.1 that are kept, and those that are refused (gssproxy.conf(5)). */
import { describe, expect, test } from 'vitest'
import { expand, parseGssProxyConfig } from '../../src/gssproxy/config.ts'

const service = (...lines: readonly string[]) =>
  parseGssProxyConfig(['[service/web]', '  mechs = krb5', '  euid = 33', ...lines].join('\n')).services

test('a service has its stores, and the rest as gssproxy has it', () =>
  expect(
    parseGssProxyConfig(`
# of the man page
[gssproxy]
  debug_level = 3
[service/HTTP]
  mechs = krb5
  cred_store = keytab:/etc/http.keytab
  cred_store = ccache:FILE:/var/lib/gssproxy/clients/krb5cc_%U
  euid = apache
[service/alice]
  mechs = krb5
  socket = /run/alice.sock
  cred_store = client_keytab:/etc/alice.keytab
  cred_usage = initiate
  allow_any_uid = yes
  min_lifetime = 60
  filter_flags = -DELEGATE
  enforce_flags = 0x2, +SEQUENCE
  allow_protocol_transition = yes
  allow_constrained_delegation = true
  allow_client_ccache_sync = yes
  euid = 1
`).services,
  ).toEqual([
    {
      ...{ name: 'HTTP', euid: 'apache', socket: undefined, anyUser: false, usage: 'both', principal: undefined },
      ...{ keytab: '/etc/http.keytab', clientKeytab: undefined, ccache: 'FILE:/var/lib/gssproxy/clients/krb5cc_%U' },
      ...{ minLifetime: 15, filterFlags: ['delegateToPeer'], enforceFlags: [] },
      ...{ protocolTransition: false, constrainedDelegation: false },
      ...{ clientSync: false, kernelNfsd: false },
    },
    {
      ...{
        name: 'alice',
        euid: '1',
        socket: '/run/alice.sock',
        anyUser: true,
        usage: 'initiate',
        principal: undefined,
      },
      ...{ keytab: undefined, clientKeytab: '/etc/alice.keytab', ccache: undefined },
      ...{ minLifetime: 60, filterFlags: [], enforceFlags: ['mutualAuthentication', 'outOfSequenceDetection'] },
      ...{ protocolTransition: true, constrainedDelegation: true },
      ...{ clientSync: true, kernelNfsd: false },
    },
  ]))

describe('refused, with the line and the reason', () => {
  test.each([
    ['program = /usr/sbin/httpd', 'line 4: program is not supported: the system tells'],
    ['selinux_context = x', 'line 4: selinux_context is not supported'],
    ['impersonate = true', 'line 4: impersonate is not supported'],
    ['trusted = yes', 'line 4: trusted is for kernel_nfsd alone'],
    ['syslog_status = yes', 'line 4: syslog_status is not supported: there is no system log here; debug_level = 1'],
    ['[gssproxy]\nworker threads = 2', 'line 5: worker threads is not supported: one thread serves everybody'],
    ['debug = yes', 'line 4: debug is no setting of a service'],
    ['[gssproxy]\ndebug_level = high', 'line 5: debug_level is a number'],
    ['allow_any_uid = perhaps', 'line 4: allow_any_uid is yes or no'],
    ['[gssproxy]\nsocket = x', 'line 5: socket is no setting of the daemon'],
    ['mechs = spnego', 'needs mechs = krb5'],
    ['cred_store = password:x', 'line 4: cred_store = password:x: one of keytab'],
    ['cred_usage = all', 'line 4: cred_usage is initiate, accept or both'],
    ['filter_flags = -DELEG', 'line 4: DELEG is no flag'],
    ['min_lifetime = soon', 'line 4: min_lifetime is a number'],
    ['ccache = x', 'line 4: ccache is no setting'],
    ['nonsense', 'line 4: neither a section nor key = value'],
    ['[other]', '[other] is neither'],
  ])('%s', (line, message) => expect(() => service(line)).toThrow(message))

  test('a service without euid or mechs', () => {
    expect(() => parseGssProxyConfig('[service/a]\nmechs = krb5')).toThrow('has no euid')
    expect(() => parseGssProxyConfig('[service/a]\neuid = 0')).toThrow('needs mechs')
  })
  test('two services on one socket', () =>
    expect(() => service('[service/b]', 'mechs = krb5', 'euid = 0')).toThrow('share the default socket'))
})

test.each([
  ['', false],
  ['debug = yes', true],
  ['debug_level = 3', true],
  ['debug_level = 0\ndebug = no', false],
])('[gssproxy] %s tells of calls: %s', (line, debug) =>
  expect(parseGssProxyConfig(`[gssproxy]\n${line}`).debug).toBe(debug),
)
test('the kernel’s NFS server has a socket that it knows, and accepts', () =>
  expect(service('kernel_nfsd = yes', 'trusted = yes')).toMatchObject([
    { kernelNfsd: true, socket: '/run/gssproxy.sock', usage: 'accept' },
  ]))
test('what is off is not refused', () => expect(service('impersonate = no', 'kernel_nfsd = no')).toHaveLength(1))
test('%U, %u and %% stand for the user', () =>
  expect(expand('/%U/%u/100%%', { uid: 33, name: 'www-data' })).toBe('/33/www-data/100%'))
