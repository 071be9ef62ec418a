/** MIT makes the local names of the same principals by the same rules. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lab, peer, run, scratch } from '../lab/index.ts'
import { localNameCases, localNameConfig, malformedRules } from '../support/localnames.ts'

/** KRB5_LNAME_NOTRANS and KRB5_CONFIG_BADFORMAT of MIT's krb5_err.et. */
const codes = { noTranslation: -1_765_328_208, badFormat: -1_765_328_248 }

async function ask(rules: readonly string[], ...names: readonly string[]) {
  const path = join(scratch(), 'krb5.conf')
  writeFileSync(path, localNameConfig(rules))
  const env = { ...lab.mit.env, KRB5_CONFIG: path }
  const { code, stdout, stderr } = await run('/usr/bin/python3', ['test/lab/localname.py'], {
    env,
    input: JSON.stringify(names),
  })
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as [number, string | null][]
}

peer(['mit', 'gssapi'], "local names by MIT's auth_to_local", () => {
  test.each(localNameCases)('%j makes of %s %s', async (rules, name, local) =>
    expect(await ask(rules, name)).toEqual([local === undefined ? [codes.noTranslation, null] : [0, local]]),
  )

  test.each(malformedRules)('%s is no rule', async (rule) =>
    expect(await ask([rule], 'alice')).toEqual([[codes.badFormat, null]]),
  )
})
