/** The portable tests in workerd: a test handler, which passes on what they tell. */
import type { Connect } from '../../src/edge/index.ts'
import { runAll } from './check.ts'
import type { Place } from './place.ts'
import { portable, providersHere } from './portable.ts'

/** The handler of a worker that opens connections by `connect` of `cloudflare:sockets`. */
export default (connect: Connect) => ({
  async test(_: unknown, { PLACE }: { readonly PLACE: string }): Promise<void> {
    const place = JSON.parse(PLACE) as Place
    portable(place, connect)
    const told = { version: navigator.userAgent, providers: providersHere(), ...(await runAll()) }
    await fetch(`${place.origin}/told`, { method: 'POST', body: JSON.stringify(told) })
  },
})
