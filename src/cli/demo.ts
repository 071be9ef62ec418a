import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decode } from '../asn1/codec.ts'
import { fromUtf8, toHex, utf8 } from '../bytes/index.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { SecurityContext } from '../gss/context.ts'
import { Name } from '../gss/name.ts'
import { createNegotiateFetch } from '../http/client.ts'
import { negotiateListener } from '../http/node.ts'
import { createNegotiateAcceptor } from '../http/server.ts'
import type { Credential } from '../krb5/credential.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { formatTraceEvent, type TraceEvent } from '../krb5/trace.ts'
import { startRealm } from '../node/realm.ts'
import { formatMilliseconds, formatTime } from './text.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const trace = (event: TraceEvent) => say(`      ${formatTraceEvent(event)}`)

/** Runs one step, names it, and says how long it took. */
async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  say(`\n ${title}`)
  const start = performance.now()
  const result = await work()
  say(`    done in ${formatMilliseconds(performance.now() - start)}`)
  return result
}

/** The main job from end to end, on loopback, in one process; each step is printed as a person would follow it. */
export async function demo(): Promise<void> {
  const start = performance.now()
  say('kerb: Kerberos 5, GSS-API and SPNEGO in TypeScript alone')

  await using realm = await step('1. Start a KDC for the realm LAB.TEST', async () => {
    const started = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
    say(`    it listens on ${started.host}:${started.port}, UDP and TCP; alice has a password, HTTP/localhost a keytab`)
    return started
  })

  const service = realm.kerberos()
  using serviceKeys = await service.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  using site = await step('2. Start a web server that wants Negotiate', async () => {
    const acceptor = createNegotiateAcceptor({ mech: service.spnego, credentials: serviceKeys })
    const server = createServer(
      negotiateListener<IncomingMessage, ServerResponse>(acceptor, (_request, response, { initiator }) =>
        response.end(`Hello, ${initiator}!\n`),
      ),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`
    const { status, headers } = await fetch(url)
    say(`    ${url} answers strangers with ${status}, WWW-Authenticate: ${headers.get('www-authenticate')}`)
    const stop = () => {
      server.close()
      server.closeAllConnections()
    }
    return { url, [Symbol.dispose]: stop }
  })

  const kerberos = realm.kerberos({ trace })
  using alice = await step('3. Log alice in with her password', async () => {
    const login = await kerberos.login('alice', { password: 'alice-pw', lifetime: 3600, forwardable: true })
    describe(login.ticket)
    return login
  })

  await step('4. Fetch the page as alice, and have the server prove itself', async () => {
    const negotiateFetch = createNegotiateFetch({ mech: kerberos.spnego, credentials: alice.credentials })
    const response = await negotiateFetch(site.url)
    say(`    HTTP/1.1 ${response.status} ${response.statusText}: ${(await response.text()).trim()}`)
    say("    the server's token was there and verified: mutual authentication")
  })

  await step('5. Seal a message and open it again', async () => {
    const name = Name.hostbased('HTTP@localhost')
    using client = new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: kerberos.krb5 })
    using server = new SecurityContext({ usage: 'accept', creds: serviceKeys, mech: service.krb5 })
    let token = await client.step()
    while (token) {
      const reply = await server.step(token)
      token = reply && (await client.step(reply))
    }
    const { message } = client.wrap(utf8('attack at dawn'), true)
    say(`    sealed   ${toHex(message)}`)
    const { message: opened, encrypted } = server.unwrap(message)
    say(
      `    unsealed "${fromUtf8(opened)}", ${encrypted ? 'it was encrypted' : 'it was only signed'}, from ${server.initiatorName}`,
    )
  })

  say(
    `\nAll of it took ${formatMilliseconds(performance.now() - start)}, without native code, krb5.conf or a child process.`,
  )
}

function describe({ client, server, key, ticket, endtime }: Credential): void {
  say(`    ticket   ${formatPrincipal(client)} -> ${formatPrincipal(server)}`)
  say(`    enctypes session key ${key.enctype.name}, ticket ${enctypeName(decode(Ticket, ticket).encPart.etype)}`)
  say(`    until    ${formatTime(endtime)}`)
}
