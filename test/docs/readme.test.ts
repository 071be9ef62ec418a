/** The examples of the README and of the guides in docs/ compile and run, and print what they say they print. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { expectToCompile } from '../support/compiled.ts'

const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'))
/** The examples of a page that says so are one program, told in pieces. */
function blocksOf(page: string) {
  const text = readFileSync(page, 'utf8')
  const blocks = [...text.matchAll(/^```ts( no-run)?\n([\s\S]*?)^```$/gm)]
  if (!/^<!-- one program -->$/m.test(text)) return blocks
  return [['', undefined, blocks.map(([, , code]) => code).join('')] as const]
}
const examples = pages.flatMap((page) =>
  blocksOf(page).map(([, noRun, code], i) => ({
    name: `${page} ${i + 1}: ${/^import .*from '(kerb[^']*)'/m.exec(code!)?.[1]}`,
    code: code!,
    runs: !noRun,
  })),
)
mkdirSync('node_modules/.cache', { recursive: true })
const folder = mkdtempSync('node_modules/.cache/readme-')
afterAll(() => rmSync(folder, { recursive: true }))

test('the README has its examples', () =>
  expect(examples.filter(({ name }) => name.startsWith('README')).length).toBeGreaterThanOrEqual(5))

test('they compile, with the strictness of the project', () => {
  for (const [i, { code }] of examples.entries())
    writeFileSync(join(folder, `example${i + 1}.ts`), `${code}\nexport {}\n`)
  expectToCompile(folder)
}, 60_000)

describe('they run, and print what their comments say', () => {
  test.each(examples.filter(({ runs }) => runs))('$name', async ({ code, name }) => {
    const printed: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => void printed.push(words.join(' ')))
    const file = join(process.cwd(), folder, `${name.replace(/\W+/g, '-')}.run.ts`)
    writeFileSync(file, code)
    try {
      await import(/* @vite-ignore */ file)
    } finally {
      log.mockRestore()
    }
    const said = [...code.matchAll(/^\s*console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
    expect(printed).toEqual(said)
    expect(said.length).toBeGreaterThan(0)
  })
})
