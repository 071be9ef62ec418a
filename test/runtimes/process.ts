/** The portable tests in Node, Deno and Bun, whose own sockets `kerb` finds; prints what they tell. */
import { expect, test } from 'vitest'
import { login } from '../../src/index.ts'
import { krbConfig } from '../../src/store/config.ts'
import { runAll } from './check.ts'
import type { Place, Told } from './place.ts'
import { portable, providersHere } from './portable.ts'

const place = JSON.parse(process.argv[2]!) as Place
portable(place)
test.each(['udp', 'tcp'])('a KDC of another process, by the sockets of node:dgram and node:net', async (transport) => {
  const config = krbConfig({ defaultRealm: 'LAB.TEST', realms: { 'LAB.TEST': { kdc: [`${transport}/${place.kdc}`] } } })
  using alice = await login('alice', { password: 'secret', config, environment: { configPaths: [] } })
  expect(alice.principal.components[0]).toBe('alice')
})
const { deno, bun, node } = process.versions
const version = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`
const told: Told = { version, providers: providersHere(), ...(await runAll()) }
process.stdout.write(`${JSON.stringify(told)}\n`)
process.exit()
