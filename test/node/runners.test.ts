/** The embedded KDC under other runners than ours: the examples of docs/testing-with-the-kdc.md, with the built package. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const guide = readFileSync('docs/testing-with-the-kdc.md', 'utf8')

test.each([
  ['node:test', 'realm.node-test.mjs', ['--test', '--test-reporter=tap'], /# pass 2\n# fail 0/],
  ['mocha', 'realm.mocha.mjs', ['node_modules/mocha/bin/mocha.js'], /2 passing/],
])(
  '%s runs its example, and ends',
  (_, name, command, passed) => {
    const file = `test/node/runners/${name}`
    expect(guide).toContain(readFileSync(file, 'utf8'))
    // Under our runner's own marks in the environment, node:test would report to a parent.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, [...command, file], {
      encoding: 'utf8',
      env,
      timeout: 60_000,
    })
    expect(stdout, stderr).toMatch(passed)
    expect(status, stdout + stderr).toBe(0)
  },
  90_000,
)
