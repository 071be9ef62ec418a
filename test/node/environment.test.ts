import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import {
  defaultCcacheName,
  defaultClientKeytabName,
  defaultKeytabName,
  environment,
  loadConfig,
} from '../../src/node/environment.ts'
import { parseStoreName } from '../../src/node/names.ts'
import { firstLine, promptSecret } from '../../src/node/prompt.ts'
import { random } from '../../src/node/random.ts'
import { now } from '../../src/node/world.ts'
import { defaultConfig } from '../../src/store/options.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-environment-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the environment', () => {
  test('names files as C programs have them', () => {
    const said = environment({ KRB5_CONFIG: '/a:/b', KRB5CCNAME: 'FILE:/c', KRB5_KTNAME: '/k', KRB5_TRACE: '/t' })
    expect(said).toMatchObject({ configPaths: ['/a', '/b'], ccacheName: 'FILE:/c', keytabName: '/k', tracePath: '/t' })
    const silent = environment({})
    expect(silent.configPaths).toEqual(['/etc/krb5.conf'])
    expect(parseStoreName(defaultCcacheName(silent, defaultConfig)).rest).toBe(`/tmp/krb5cc_${process.getuid!()}`)
    expect(defaultKeytabName(silent, defaultConfig)).toBe('FILE:/etc/krb5.keytab')
    expect(parseStoreName(defaultClientKeytabName(silent, defaultConfig)).rest).toBe(
      `/etc/krb5/user/${process.geteuid!()}/client.keytab`,
    )
    expect(defaultCcacheName(silent, { ...defaultConfig, defaultCcacheName: 'FILE:/from/conf' })).toBe(
      'FILE:/from/conf',
    )
  })

  test('fills in parameters, and takes one letter before a colon for a drive', () => {
    expect(parseStoreName('FILE:/x/%{username}/%{uid}/%{unknown}')).toEqual({
      type: 'FILE',
      rest: `/x/${userInfo().username}/${process.getuid!()}/%{unknown}`,
    })
    expect(parseStoreName('DIR::/x/tkt')).toEqual({ type: 'DIR', rest: ':/x/tkt' })
    expect(parseStoreName('C:/x')).toEqual({ type: 'FILE', rest: 'C:/x' })
  })

  test('a krb5.conf that is missing is empty, one that cannot be read is named', () => {
    expect(loadConfig([`${folder}/none`])).toEqual(defaultConfig)
    const file = join(folder, 'single.conf')
    writeFileSync(file, '[libdefaults]\ndefault_realm = A\n')
    expect(() => loadConfig([`${file}/x`])).toThrow(`${file}/x: cannot be read (ENOTDIR)`)
  })

  test('a list of files and folders is read in order, and a keytab is no krb5.conf', () => {
    const [first, several, keytab] = ['first', 'several', 'keytab'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    mkdirSync(several)
    writeFileSync(first, '[libdefaults]\nforwardable = true\n')
    writeFileSync(join(several, 'a.conf'), '[libdefaults]\ndefault_realm = A\nforwardable = false\n')
    writeFileSync(join(several, 'a.rpmsave'), '[libdefaults]\nproxiable = true\n')
    const { configPaths } = environment({ KRB5_CONFIG: `${first}::${several}` })
    expect(loadConfig(configPaths)).toMatchObject({ defaultRealm: 'A', forwardable: true, proxiable: false })
    writeFileSync(keytab, Uint8Array.of(5, 2, 0, 0, 0, 1, 7))
    expect(() => loadConfig([keytab])).toThrow(`${keytab}: this is no text; name a krb5.conf`)
  })
})

test('no two moments of a process are the same microsecond, and no two draws the same octets', () => {
  const moments = Array.from({ length: 10_000 }, now)
  expect(new Set(moments).size).toBe(moments.length)
  expect(Math.abs(moments[0]! - Date.now() * 1000)).toBeLessThan(1e6)
  const draws = Array.from({ length: 2000 }, () => random(16).join())
  expect(new Set(draws).size).toBe(draws.length)
  expect(random(10_000).length).toBe(10_000)
})

test.each([8, 16, 20_000])('%i octets are overwritten as well as drawn', (size) => {
  const target = new Uint8Array(size)
  const before = Array.from({ length: 3 }, () => {
    random.fill!(target)
    return target.join()
  })
  expect(new Set([...before, new Uint8Array(size).join()]).size).toBe(4)
})

describe('the prompt', () => {
  /** A terminal that types `keys` one by one, and notes what it shows and how it is set. */
  const terminal = (...keys: string[]) => {
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      raw: [] as boolean[],
      setRawMode: (on: boolean) => void input.raw.push(on),
    })
    const output = new PassThrough()
    const answer = promptSecret('Password: ', input as never, output as never)
    for (const key of keys) input.write(key)
    return { answer, input, shown: () => String(output.read() ?? '') }
  }

  test.each([
    ['a word and Enter', ['s', 'e', 'cret\r'], 'secret'],
    ['a mistake that is taken back', ['sx\x7fecret\n'], 'secret'],
    ['a line that is begun again', ['nonsense\x15secret\r'], 'secret'],
    ['letters beyond ASCII', ['jörg\x7f\x7f\x7förg\r'], 'jörg'],
    ['nothing', ['\r'], ''],
  ])('takes %s, shows none of it, and puts the terminal back', async (_, keys, secret) => {
    const { answer, input, shown } = terminal(...keys)
    expect(await answer).toBe(secret)
    expect(input.raw).toEqual([true, false])
    expect(shown()).toBe('Password: \n')
  })

  test.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('%s leaves it, and the terminal as it was', async (_, key) => {
    const { answer, input } = terminal(key)
    await expect(answer).rejects.toMatchObject({ name: 'PromptError' })
    expect(input.raw).toEqual([true, false])
  })

  test('from a pipe takes the first line', async () => {
    const pipe = new PassThrough()
    pipe.end('secret\nmore\n')
    expect(await firstLine(pipe)).toBe('secret')
    const empty = new PassThrough()
    empty.end()
    await expect(firstLine(empty)).rejects.toMatchObject({ name: 'PromptError' })
  })
})
