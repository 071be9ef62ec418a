/** A web server that asks another one for what is its users', each time as the user who asks. @module */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Credentials, createNegotiateAcceptor, createNegotiateFetch, GssError, negotiateListener } from 'kerb'
import type { BoundMechanism } from 'kerb/gss'
import type { NegotiatePeer, TargetName } from 'kerb/http'

/** What a portal is made of. */
export interface PortalOptions {
  /** SPNEGO over the realm's KDCs: `kerberos.spnego`. */
  readonly mech: BoundMechanism
  /** The portal's own, to accept and to initiate with: `usage: 'both'`. */
  readonly credentials: Credentials
  /** The page of the other server, and that one's name unless it is `HTTP@` its host. */
  readonly archive: { readonly url: string; readonly name?: TargetName }
  /** Told what went wrong; the users are told that something did. */
  readonly log: (error: unknown) => void
}

/** Milliseconds that the archive has. */
const PATIENCE = 10_000

/** A server whose every page is the archive's, as it shows it to whoever asks. */
export function createPortal({ mech, credentials, archive, log }: PortalOptions): Server {
  const show = async (_request: IncomingMessage, response: ServerResponse, peer: NegotiatePeer) => {
    // What the user handed over, or what the KDC grants for the ticket that the user came with (S4U2Proxy). It is a value:
    // nobody else's request can take it for its own, and it is wiped when this function ends, however it ends.
    using user = peer.credentials
    if (!user) return answer(response, 403, 'the portal has no credentials to ask the KDC with')
    try {
      const fetch = createNegotiateFetch({ mech, credentials: user, targetName: archive.name })
      const page = await fetch(archive.url, { signal: AbortSignal.timeout(PATIENCE) })
      answer(response, page.ok ? 200 : 502, await page.text())
    } catch (error) {
      log(error)
      const forbidden = error instanceof GssError && error.minor === 'KDC_ERR_BADOPTION'
      answer(response, forbidden ? 403 : 502, forbidden ? 'you are not to be delegated' : 'the archive does not answer')
    }
  }
  const acceptor = createNegotiateAcceptor({ mech, credentials })
  return createServer({ maxHeaderSize: 65_536 }, negotiateListener(acceptor, show, { onFailure: log }))
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text.trimEnd()}\n`)
}
