/** MIT's krb5_kuserok lets the same principals act as the same users. */
import { chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kerberos } from 'kerb'
import { authorizedFor, Name } from 'kerb/gss'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/node/environment.ts'
import { lab, peer, run, scratch } from '../lab/index.ts'

const asked: readonly [string, string][] = [
  ['root@R.TEST', 'root'],
  ['alice@R.TEST', 'root'],
  ['carol@OTHER', 'root'],
  ['carol', 'root'],
  ['ann/admin@R.TEST', 'root'],
  ['daemon@R.TEST', 'daemon'],
  ['alice@R.TEST', 'daemon'],
  ['nosuchuser@R.TEST', 'nosuchuser'],
  ['root@OTHER', 'root'],
]

/** Files of users, what of their owner, and what krb5.conf says besides. */
const cases: readonly [string, Readonly<Record<string, string>>, readonly string[]][] = [
  ['without files', {}, []],
  ['with a list', { root: 'alice@R.TEST\ncarol@OTHER\n' }, []],
  ['with a list that does not count alone', { root: 'alice@R.TEST\n' }, ['k5login_authoritative = false']],
  ['with an empty list', { root: '', daemon: '' }, []],
  ['without the last line feed', { root: 'carol@OTHER\nann/admin@R.TEST' }, []],
  ['with blanks and comments', { root: '# alice@R.TEST\n alice@R.TEST\ncarol@OTHER \n\nann/admin@R.TEST\t\n' }, []],
  ['with carriage returns', { root: 'alice@R.TEST\r\n' }, []],
  ['with a name that says no realm', { root: 'alice\n' }, []],
]

async function both(folder: string, said: readonly string[]) {
  const path = join(folder, 'krb5.conf')
  const lines = [' default_realm = R.TEST', ` k5login_directory = ${folder}`, ...said.map((line) => ` ${line}`)]
  writeFileSync(path, ['[libdefaults]', ...lines, ''].join('\n'))
  const env = { ...lab.mit.env, KRB5_CONFIG: path }
  const { code, stdout, stderr } = await run('/usr/bin/python3', ['test/lab/userok.py'], {
    env,
    input: JSON.stringify(asked),
  })
  expect(code, stderr).toBe(0)
  const kerberos = new Kerberos({ config: loadConfig([path]) })
  return {
    mit: JSON.parse(stdout),
    ours: asked.map(([name, user]) => authorizedFor(Name.principal(name), user, kerberos)),
  }
}

peer(['mit', 'gssapi'], "who may act as whom by MIT's krb5_kuserok", () => {
  const folderWith = (files: Readonly<Record<string, string>>) => {
    const folder = join(scratch(), `k5login-${Math.random()}`)
    mkdirSync(folder)
    for (const [user, text] of Object.entries(files)) writeFileSync(join(folder, user), text)
    return folder
  }

  test.each(cases)('%s', async (_, files, said) => {
    const { mit, ours } = await both(folderWith(files), said)
    expect(ours).toEqual(mit)
  })

  test("of a file of somebody else's, nobody; whose local name it is, where files do not count alone", async () => {
    const folder = folderWith({ root: 'alice@R.TEST\n', daemon: 'alice@R.TEST\n' })
    chownSync(join(folder, 'root'), 65_534, 65_534)
    for (const authoritative of [true, false]) {
      const { mit, ours } = await both(folder, [`k5login_authoritative = ${authoritative}`])
      expect(ours).toEqual(mit)
      expect(ours.slice(0, 3)).toEqual([!authoritative, false, false])
      expect(ours[6]).toBe(true)
    }
  })

  test('of a file that leads nowhere', async () => {
    const folder = folderWith({})
    symlinkSync('/nowhere/at/all', join(folder, 'root'))
    const { mit, ours } = await both(folder, [])
    expect(ours).toEqual(mit)
    rmSync(folder, { recursive: true })
  })
})
