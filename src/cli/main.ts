#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../store/values.ts'
import { report } from './report.ts'
import { parseStartTime } from './text.ts'

/** Turns a TypeError of a parser into commander's own complaint. */
const parsedBy =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text)
    } catch (error) {
      if (error instanceof TypeError) throw new InvalidArgumentError(error.message)
      throw error
    }
  }
const duration = parsedBy(parseDuration)

/** A key's version: 32 bits. */
function parseKvno(text: string): number {
  const kvno = Number(text)
  if (!/^\d+$/.test(text) || kvno > 0xffffffff) throw new TypeError('a key version is a number of at most 32 bits')
  return kvno
}

/** This package's version. */
async function version(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')).version
}
const collect = (value: string, all: readonly string[]) => [...all, value]

const kerb = new Command('kerb')
  .description('Kerberos 5, GSS-API and SPNEGO in pure TypeScript')
  .enablePositionalOptions()
  .showHelpAfterError()

kerb
  .command('kinit')
  .description('log in: get a ticket-granting ticket into the credential cache')
  .argument('[principal]', 'user, or user@REALM; who the cache belongs to, or the login name, unless given')
  .option('-c, --cache <name>', 'credential cache (FILE:path)')
  .option('-k, --use-keytab', 'use the keys of a keytab; this host logs in unless somebody is named')
  .option('-t, --keytab <name>', 'the keytab to use (implies -k)')
  .option('-i, --client-keytab', 'use the client keytab (implies -k)')
  .option('--password-file <path>', 'read the password from a file; - for standard input')
  .option('-l, --lifetime <duration>', 'how long the ticket is to be good for: 10h, 1d, 3600', duration)
  .option('-s, --start-time <time>', 'when it is to begin: in 2h, or at YYYYMMDDhhmmss', parsedBy(parseStartTime))
  .option('-r, --renewable <duration>', 'how long it is to be renewable for', duration)
  .option('-f, --forwardable', 'ask for a forwardable ticket')
  .option('-F, --not-forwardable', 'ask for one that is not forwardable')
  .option('-p, --proxiable', 'ask for a proxiable ticket')
  .option('-P, --not-proxiable', 'ask for one that is not proxiable')
  .option('-a, --addresses', 'tie the ticket to the addresses of this host')
  .option('-A, --noaddresses', 'tie it to no addresses')
  .option('-C, --canonicalize', 'let the KDC answer with another name')
  .option('-E, --enterprise', 'take the name for one that the KDC finds, as carol@corp.example')
  .option('-v, --validate', 'have a postdated ticket of the cache made valid')
  .option('-R, --renew', 'have a ticket of the cache renewed')
  .option('-S, --service <principal>', 'another service than the ticket-granting one')
  .option('-T, --armor <cache>', 'go through FAST with the ticket of this credential cache')
  .option('--anonymous-armor', 'go through FAST with a ticket that is got anonymously for it')
  .option('-n, --anonymous', 'log in as nobody in particular, of @REALM or the default realm')
  .option(
    '-X, --preauth-option <name=value>',
    'X509_user_identity=FILE:cert.pem,key.pem, X509_anchors=FILE:ca.pem',
    collect,
    [],
  )
  .option('--request-pac', 'ask for a PAC in the ticket')
  .option('--no-request-pac', 'ask for a ticket without one')
  .option('-V, --verbose', 'say what was done')
  .action(async (principal, options) => (await import('./kinit.ts')).kinit(principal, options))

kerb
  .command('kpasswd')
  .description('change a password')
  .argument('[principal]', 'whose; who the cache belongs to, or the login name, unless given')
  .action(async (principal) => (await import('./kpasswd.ts')).kpasswd(principal))

kerb
  .command('klist')
  .description('show the tickets of the credential cache, or the keys of a keytab')
  .argument('[name]', 'cache or keytab')
  .option('-c, --cache', 'show a credential cache (the default)')
  .option('-A, --all', 'show every cache of the collection')
  .option('-l, --list', 'list the caches of the collection')
  .option('-s, --silent', 'show nothing; the exit code says whether there is a valid ticket')
  .option('-f, --flags', 'show ticket flags')
  .option('-a, --addresses', 'show addresses')
  .option('-n, --numeric', 'do not look up the names of addresses')
  .option('-C, --config', 'show configuration entries as well')
  .option('-e, --enctypes', 'show encryption types')
  .option('-d, --authorization-data', 'show the types of authorization data')
  .option(
    '-o, --open <keytab>',
    'show what is in tickets that this keytab opens, the PAC as well; repeatable',
    collect,
    [],
  )
  .option('-k, --keytab', 'show a keytab')
  .option('-i, --client', 'with -k: the client keytab, unless one is named')
  .option('-t, --timestamps', 'with -k: show when each key was written')
  .option('-K, --keys', 'with -k: show the keys themselves')
  .option('-V, --version', 'show the version')
  .action(async (name, options) => {
    if (options.version) process.stdout.write(`kerb ${await version()}\n`)
    else await (await import('./klist.ts')).klist(name, options)
  })

kerb
  .command('kdestroy')
  .description('overwrite the credential cache and take it away')
  .option('-c, --cache <name>', 'credential cache (FILE:path, DIR:path, KCM:)')
  .option('-p, --principal <name>', 'the cache of this principal in the collection')
  .option('-A, --all', 'every cache of the collection')
  .option('-q, --quiet', 'do not tell that other caches are left')
  .action(async (options) => (await import('./caches.ts')).kdestroy(options))

kerb
  .command('kswitch')
  .description('make a cache the primary of its collection')
  .option('-c, --cache <name>', 'the cache to switch to')
  .option('-p, --principal <name>', 'the cache of this principal')
  .action(async (options) => (await import('./caches.ts')).kswitch(options))

const keytab = kerb.command('keytab').description('show keytabs, fill them, merge them')
keytab
  .command('list')
  .argument('[name]', 'keytab; the default one unless given')
  .option('-e, --enctypes', 'show encryption types')
  .option('-t, --timestamps', 'show when each key was written')
  .option('-K, --keys', 'show the keys themselves')
  .action(async (name, options) => (await import('./keytab.ts')).listKeytab(name, options))
keytab
  .command('add')
  .description('add keys of a principal: those of its password, or a key of your own')
  .argument('<principal>')
  .option('-k, --keytab <name>', 'keytab; the default one unless given')
  .option('-V, --kvno <number>', 'version of the key', parsedBy(parseKvno), 1)
  .option('-e, --enctype <name>', 'encryption type, repeatable; all that krb5.conf permits unless given', collect, [])
  .option('-s, --salt <text>', 'salt of the password, if it is not the usual one')
  .option('--key <hex>', 'the key itself, in place of a password')
  .option('--password-file <path>', 'read the password from a file; - for standard input')
  .action(async (principal, options) => (await import('./keytab.ts')).addToKeytab(principal, options))
keytab
  .command('remove')
  .description('remove keys of a principal')
  .argument('<principal>')
  .option('-k, --keytab <name>', 'keytab; the default one unless given')
  .option('-V, --kvno <number>', 'only this version', parsedBy(parseKvno))
  .option('-e, --enctype <name>', 'only of this encryption type, repeatable', collect, [])
  .option('--old', 'only the versions before the newest')
  .action(async (principal, options) => (await import('./keytab.ts')).removeFromKeytab(principal, options))
keytab
  .command('merge')
  .description('add the keys of other keytabs')
  .argument('<names...>', 'keytabs to take the keys of')
  .option('-k, --keytab <name>', 'keytab to add to; the default one unless given')
  .action(async (names, options) => (await import('./keytab.ts')).mergeKeytabs(names, options))

const kirbi = kerb.command('kirbi').description('exchange tickets with Windows tools, as KRB-CRED files')
kirbi
  .command('export')
  .description('write tickets of the credential cache to a file that was not there before')
  .argument('<path>')
  .option('-c, --cache <name>', 'credential cache')
  .option('-s, --service <principal>', 'only the ticket for this service')
  .action(async (path, options) => (await import('./kirbi.ts')).exportKirbi(path, options))
kirbi
  .command('import')
  .description('put the tickets of a file, binary or base64, into the credential cache')
  .argument('<path>')
  .option('-c, --cache <name>', 'credential cache')
  .action(async (path, options) => (await import('./kirbi.ts')).importKirbi(path, options))

kerb
  .command('kvno')
  .description('get tickets for services and show their key versions')
  .argument('<services...>', 'as HTTP/www.example.com')
  .option('-c, --cache <name>', 'credential cache (FILE:path)')
  .option('-e, --enctype <name>', 'with a session key of this encryption type')
  .option('-k, --keytab <name>', 'open the tickets with the keys of this keytab')
  .option('-q, --quiet', 'show nothing of tickets that were had')
  .option('-C, --canonicalize', 'let the KDC answer with another name')
  .option('-I, --for-user <name>', 'in the name of this user, to the service that is logged in (S4U2Self)')
  .option('-U, --for-enterprise-user <name>', 'the same for an enterprise name, as carol@corp.example')
  .option('-F, --certificate <path>', 'the same for whoever this certificate is of')
  .option('-P, --proxy', 'with -I, -U or -F: to other services, by constrained delegation (S4U2Proxy)')
  .option('--u2u <cache>', "user-to-user: under the session key of this cache's ticket-granting ticket")
  .option('--cached-only', 'only tickets that are in the cache already')
  .option('--no-store', 'keep the tickets in no cache')
  .option('--out-cache <cache>', 'keep them in this cache, in place of what is there, and in no other')
  .action(async (services, options) => (await import('./kvno.ts')).kvno(services, options))

kerb
  .command('get')
  .description('fetch a page that is protected by Negotiate, and check that the server proved itself')
  .argument('<url>')
  .option('-c, --cache <name>', 'credential cache (FILE:path)')
  .option('-i, --include', 'print the status line and the headers as well')
  .option('-X, --request <method>', 'method')
  .option('-d, --data <text>', 'body, sent by POST')
  .option('-H, --header <line>', 'one more header, as Name: value', collect, [])
  .option('--service <name>', 'service to authenticate, HTTP@host unless given')
  .option('--no-mutual', 'do not ask the server to prove itself')
  .action(async (url, options) => (await import('./get.ts')).get(url, options))

kerb
  .command('kdc')
  .description('run a throw-away realm on loopback until interrupted')
  .option('--realm <name>', 'name of the realm', 'LAB.TEST')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <number>', 'port, any free one unless given', parsedBy(Number), 0)
  .option('-u, --user <name=password>', 'a user; alice=alice-pw unless given', collect, [])
  .option('-s, --service <principal>', 'a service; HTTP/localhost unless given', collect, [])
  .option('--keytab <path>', "write the services' keys to a keytab")
  .option('--config <path>', 'write the krb5.conf to a file')
  .action(async (options) => (await import('./kdc.ts')).kdc(options))

kerb
  .command('gssproxy')
  .description('keep keys for other processes: serve a gssproxy.conf until interrupted')
  .requiredOption('--config <path>', 'the gssproxy.conf')
  .option('--socket <path>', 'socket of the service that names none', '/var/lib/gssproxy/default.sock')
  .action(async (options) => (await import('./gssproxy.ts')).gssproxy(options))

kerb
  .command('inspect')
  .description('explain tokens, messages, tickets, caches, keytabs and captured packets, line by line')
  .argument('[input]', 'a file, or the octets as hexadecimal or base64; standard input unless given, or for -')
  .option('-k, --keytab <name>', 'open what the keys of this keytab open')
  .option('--password-file <path>', 'try the password in this file; - for standard input')
  .option('--keys', 'show keys and passwords as well: whoever sees them has them')
  .action(async (input, options) => (await import('./inspect.ts')).inspect(input, options))

kerb
  .command('ping')
  .description('ask every KDC of a realm by every transport, and show what it offers')
  .argument('[realm]', 'the default realm unless given')
  .option('-p, --principal <name>', 'for whom a ticket is asked for, without proving anything', 'kerb-ping')
  .option('--timeout <duration>', 'how long one try may take', duration, 3)
  .option('--json', 'print the results as JSON')
  .action(async (realm, options) => (await import('./ping.ts')).ping(realm, options))

kerb
  .command('demo')
  .description('all of it in one process: a realm, a protected page, a login, a sealed message')
  .action(async () => (await import('./demo.ts')).demo())

try {
  await kerb.parseAsync()
} catch (error) {
  report(error)
}
