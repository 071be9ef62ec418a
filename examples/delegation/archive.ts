/** The server behind the portal, which knows nothing of it: it sees users. @module */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Credentials, createNegotiateAcceptor, negotiateListener } from 'kerb'
import type { BoundMechanism } from 'kerb/gss'

/** A server that shows everybody his own page. */
export function createArchive(mech: BoundMechanism, credentials: Credentials): Server {
  return createServer(
    { maxHeaderSize: 65_536 },
    negotiateListener<IncomingMessage, ServerResponse>(
      createNegotiateAcceptor({ mech, credentials }),
      (_request, response, { initiator }) => response.end(`The papers of ${initiator}\n`),
    ),
  )
}
