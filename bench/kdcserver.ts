/** The process in which the embedded KDC is put under load: its parent counts what it costs. @module */
import { enctypeByName } from '../src/crypto/enctypes/table.ts'
import { startRealm } from '../src/node/realm.ts'
import { CLIENT, PASSWORD, REALM, SERVICE } from './kdcload.ts'
import { octetsInUse } from './served.ts'

const enctypes = ['aes256-cts-hmac-sha1-96', 'aes128-cts-hmac-sha1-96'].map((name) => enctypeByName(name)!)
const realm = await startRealm({
  realm: REALM,
  users: { [CLIENT]: { password: PASSWORD, enctypes } },
  services: { [SERVICE]: { enctypes: enctypes.slice(0, 1) } },
})

process.on('message', () => process.send!(octetsInUse()))
process.on('disconnect', () => void realm[Symbol.asyncDispose]())
process.send!(realm.port)
