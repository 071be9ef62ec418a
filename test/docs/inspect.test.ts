/** The worked example of docs/inspect.md is what `kerb inspect` says, line by line; its `…` stand for lines left out. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-inspect-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('the login from the wire is explained as the page shows it', async () => {
  const [, block] = /^```console\n([\s\S]*?)^```$/m.exec(readFileSync('docs/inspect.md', 'utf8'))!
  const [command, ...shown] = block!.trimEnd().split('\n')
  const [, keytab, capture] = /^\$ npx kerb inspect -k (\S+) --password-file password (\S+)$/.exec(command!)!
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, 'alice-pw\n')
  const output: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => output.push(String(text)) > 0)
  try {
    await inspect(`vectors/captures/${capture}`, { keytab: `vectors/captures/${keytab}`, passwordFile })
  } finally {
    write.mockRestore()
  }
  const told = output.join('').trimEnd().split('\n')
  let at = 0
  for (const [i, line] of shown.entries()) {
    if (line === '…') continue
    const found = told.indexOf(line, at)
    expect(found, `${line} in the lines from ${at} on`).toBeGreaterThanOrEqual(at)
    // Nothing was left out where the page says nothing of it.
    if (i > 0 && shown[i - 1] !== '…') expect(found, line).toBe(at)
    at = found + 1
  }
})
