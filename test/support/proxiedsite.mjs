/**
 * A web site that runs as nobody, whose keys the GSS-Proxy daemon at SOCKET has: `node proxiedsite.mjs SOCKET KEYTAB`.
 * Prints its port and what opening KEYTAB comes to. Each page says who came; with ?onward=URL, also what the site there
 * says when the visitor's delegated tickets go on to it.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { ProxyCredential } from 'kerb/gssproxy'
import { createNegotiateAcceptor, createNegotiateFetch, negotiateListener } from 'kerb/http'
import { GssProxyConnection, Kerberos } from 'kerb/node'

const NOBODY = 65_534
const [socket, keytab] = process.argv.slice(2)
const kerberos = new Kerberos()
process.setgroups([])
process.setgid(NOBODY)
process.setuid(NOBODY)

const readable = () => {
  try {
    return readFileSync(keytab).length
  } catch ({ code }) {
    return code
  }
}
const connection = new GssProxyConnection({ path: socket })
const mech = connection.spnego(kerberos.krb5)
/** What the site at `url` says when the visitor's tickets go there. */
const onward = async ({ context: { delegatedCredentials: credentials } }, url) =>
  (await createNegotiateFetch({ mech, credentials })(url)).text()

const listener = negotiateListener(
  createNegotiateAcceptor({ mech, credentials: ProxyCredential.credentials('accept') }),
  async ({ url }, response, peer) => {
    const behind = new URL(url, 'http://localhost').searchParams.get('onward')
    response.end(`${peer.initiator}\n${behind ? await onward(peer, behind).catch(String) : ''}`)
  },
)
const server = createServer({ maxHeaderSize: 65_536 }, listener)
server.listen(0, '127.0.0.1', () => console.log(`Ready: ${JSON.stringify([server.address().port, readable()])}`))
