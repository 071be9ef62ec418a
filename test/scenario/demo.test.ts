/** The main job as the README's first command runs it, from the built package. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'

test('the demonstration runs from end to end, within five seconds, and says what happened', () => {
  expect(existsSync('dist/cli/main.js'), 'not built: npm run build').toBe(true)
  const start = performance.now()
  const said = execFileSync(process.execPath, ['dist/cli/main.js', 'demo'], { encoding: 'utf8', env: {} })
  expect(performance.now() - start).toBeLessThan(5000)
  for (const line of [
    /Start a KDC for the realm LAB\.TEST/,
    /answers strangers with 401, WWW-Authenticate: Negotiate/,
    /Selected pre-authentication SPAKE/,
    /ticket {3}alice@LAB\.TEST -> krbtgt\/LAB\.TEST@LAB\.TEST/,
    /enctypes session key aes256-cts-hmac-sha1-96, ticket aes256-cts-hmac-sha1-96/,
    /Received ticket alice@LAB\.TEST -> HTTP\/localhost@LAB\.TEST/,
    /HTTP\/1\.1 200 OK: Hello, alice@LAB\.TEST!/,
    /mutual authentication/,
    /sealed {3}050406ff/,
    /unsealed "attack at dawn", it was encrypted, from alice@LAB\.TEST/,
    /All of it took [\d.]+ m?s/,
  ])
    expect(said).toMatch(line)
})
