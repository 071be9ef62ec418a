/** The portable tests in a page, which passes on what they tell. */
import { runAll } from './check.ts'
import { portable, providersHere } from './portable.ts'

portable({ origin: location.origin, kdc: '' })
const version = /Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent
const told = { version, providers: providersHere(), ...(await runAll()) }
await fetch('/told', { method: 'POST', body: JSON.stringify(told) })
