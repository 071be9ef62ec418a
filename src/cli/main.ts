#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../store/values.ts'
import { report } from './report.ts'

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
  .option('-k', 'use the keys of a keytab')
  .option('-t, --keytab <name>', 'the keytab to use (implies -k)')
  .option('--password-file <path>', 'read the password from a file; - for standard input')
  .option('-l, --lifetime <duration>', 'how long the ticket is to be good for: 10h, 1d, 3600', duration)
  .option('-r, --renewable <duration>', 'how long it is to be renewable for', duration)
  .option('-f, --forwardable', 'ask for a forwardable ticket')
  .option('-S, --service <principal>', 'another service than the ticket-granting one')
  .action(async (principal, options) => (await import('./kinit.ts')).kinit(principal, options))

kerb
  .command('klist')
  .description('show the tickets of the credential cache, or the keys of a keytab')
  .argument('[name]', 'cache or keytab')
  .option('-c, --cache', 'show a credential cache (the default)')
  .option('-k, --keytab', 'show a keytab')
  .option('-e, --enctypes', 'show encryption types')
  .option('-f, --flags', 'show ticket flags')
  .action(async (name, options) => (await import('./klist.ts')).klist(name, options))

kerb
  .command('kdestroy')
  .description('overwrite the credential cache and take it away')
  .option('-c, --cache <name>', 'credential cache (FILE:path)')
  .action(async (options) => (await import('./klist.ts')).kdestroy(options))

kerb
  .command('kvno')
  .description('get tickets for services and show their key versions')
  .argument('<services...>', 'as HTTP/www.example.com')
  .option('-c, --cache <name>', 'credential cache (FILE:path)')
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
  .command('demo')
  .description('all of it in one process: a realm, a protected page, a login, a sealed message')
  .action(async () => (await import('./demo.ts')).demo())

try {
  await kerb.parseAsync()
} catch (error) {
  report(error)
}
