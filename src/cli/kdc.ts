import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { KdcEvent } from '../kdc/kdc.ts'
import { Keytabs } from '../node/keytabs.ts'
import { startRealm } from '../node/realm.ts'
import { parseKeytab } from '../store/keytab.ts'

/** What `kerb kdc` was told. */
export interface KdcCommandOptions {
  readonly realm: string
  readonly host: string
  readonly port: number
  readonly user: readonly string[]
  readonly service: readonly string[]
  readonly keytab?: string
  readonly config?: string
}

/** Runs a throw-away realm until SIGINT or SIGTERM; prints how to use it, then a line per request. */
export async function kdc(options: KdcCommandOptions): Promise<void> {
  const users = options.user.length ? options.user : ['alice=alice-pw']
  const services = options.service.length ? options.service : ['HTTP/localhost']
  await using realm = await startRealm({
    ...{ realm: options.realm, host: options.host, port: options.port, services, log: print },
    users: Object.fromEntries(users.map(parseUser)),
  })
  if (options.keytab) await new Keytabs().resolve(options.keytab).add(...parseKeytab(realm.keytab(...services)).entries)
  if (options.config) writeFileSync(options.config, realm.configText)
  process.stdout.write(
    [
      `Realm ${realm.name}, KDC on ${realm.host} port ${realm.port} (UDP and TCP)`,
      `Users: ${users.map((user) => user.replace('=', ' (password ')).join('), ')})`,
      `Services: ${services.join(', ')}${options.keytab ? ` (keys in ${options.keytab})` : ''}`,
      `krb5.conf${options.config ? ` (in ${options.config})` : ''}:`,
      '',
      realm.configText.trimEnd(),
      '',
      'Ready; interrupt to end.',
      '',
    ].join('\n'),
  )
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

function print({ kind, client, service, outcome, enctype }: KdcEvent): void {
  process.stdout.write(
    `${new Date().toISOString()} ${kind} ${client} -> ${service}: ${outcome}${enctype ? `, session key ${enctype}` : ''}\n`,
  )
}

function parseUser(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new TypeError(`not a user: ${text}; write name=password`)
  return [text.slice(0, at), text.slice(at + 1)]
}
