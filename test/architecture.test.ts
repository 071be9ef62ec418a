/** The house as architecture: which room may know which, and what every review would otherwise count by hand. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const below = [
  'http',
  'gssproxy',
  'sasl',
  'spnego',
  'gss/krb5',
  'gss',
  'kdc',
  'inspect',
  'store',
  'krb5',
  'krb5/messages',
  'krb5/preauth',
  'krb5/exchanges',
  'krb5/pac',
  'cms',
  'crypto',
  'asn1',
  'effects',
  'bytes',
]

/** Each room and the rooms it may import; the longest matching path wins. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  bytes: [],
  effects: [],
  asn1: ['bytes'],
  crypto: ['bytes'],
  cms: ['asn1', 'bytes'],
  'krb5/messages': ['asn1', 'bytes'],
  krb5: ['krb5/messages', 'krb5/preauth', 'krb5/exchanges', 'effects', 'asn1', 'crypto', 'bytes'],
  'krb5/exchanges': ['krb5', 'krb5/preauth', 'krb5/messages', 'effects', 'asn1', 'crypto', 'bytes'],
  'krb5/preauth': ['krb5', 'krb5/messages', 'cms', 'effects', 'asn1', 'crypto', 'bytes'],
  'krb5/pac': ['krb5', 'krb5/messages', 'asn1', 'crypto', 'bytes'],
  store: ['krb5', 'krb5/messages', 'effects', 'asn1', 'crypto', 'bytes'],
  gss: ['asn1', 'crypto', 'effects', 'bytes'],
  'gss/krb5': [
    'gss',
    'store',
    'krb5',
    'krb5/exchanges',
    'krb5/messages',
    'krb5/pac',
    'asn1',
    'crypto',
    'effects',
    'bytes',
  ],
  spnego: ['gss', 'asn1', 'effects', 'bytes'],
  http: ['spnego', 'gss', 'effects', 'bytes'],
  sasl: ['gss', 'effects', 'bytes'],
  gssproxy: ['gss', 'asn1', 'effects', 'bytes'],
  kdc: [
    'store',
    'krb5',
    'krb5/messages',
    'krb5/preauth',
    'krb5/exchanges',
    'krb5/pac',
    'cms',
    'asn1',
    'crypto',
    'effects',
    'bytes',
  ],
  inspect: [
    'spnego',
    'gss/krb5',
    'gss',
    'store',
    'krb5',
    'krb5/exchanges',
    'krb5/messages',
    'krb5/preauth',
    'krb5/pac',
    'asn1',
    'crypto',
    'bytes',
  ],
  node: below,
  edge: below,
  cli: ['node', '', ...below],
  '': ['node', ...below],
}

/** Each foreign module and the only files that may import it. */
const doors: Readonly<Record<string, RegExp>> = {
  asn1js: /^(cms|inspect)\//,
  pkijs: /^cms\//,
  '@noble/': /^crypto\//,
  'dns-packet': /^node\//,
  commander: /^cli\//,
  'node:': /^(node|cli)\//,
}

/** Time, chance and output reach the library through its caller; only these rooms may fetch them. */
const ambient =
  /\b(Date\.now|new Date\(\)|Math\.random|getRandomValues|randomUUID|performance\.now|console\.|process\.|setTimeout|setInterval|fetch\()/
const outside = /^(node|edge|cli)\//
/** The one place where crypto looks for the runtime's own primitives. */
const runtimePrimitives = /^crypto\/primitives\/builtin\.ts$/

/** Comparisons that stop at the first difference: of texts that octets were made, and element by element. */
const leaky =
  /\b(toHex|toBase64)\([^()]*\)\s*[!=]==?|[!=]==?\s*(toHex|toBase64)\(|\]!?\s*[!=]==?\s*\w+(\.\w+)*\[|\bcompare\(/

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const source = new Map(files.map((file) => [file, readFileSync(join('src', file), 'utf8')]))
/** The code alone: what a comment says is nobody's import and nobody's output. */
const codeOf = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
const importsOf = (file: string) =>
  [
    ...codeOf(source.get(file)!).matchAll(
      /^(?:import|export) (?:[^'\n]*?from )?'([^'\n]+)'|^\} from '([^'\n]+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3])!)
const target = (file: string, specifier: string) => relative('src', resolve('src', dirname(file), specifier))
const roomOf = (file: string) =>
  Object.keys(rooms)
    .filter((room) => room === '' || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0]!

describe.each(files)('%s', (file) => {
  const text = source.get(file)!
  const code = codeOf(text)
  const lines = text.split('\n')

  test('imports only what its room may', () => {
    const room = roomOf(file)
    const inner = importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => roomOf(target(file, specifier)))
    expect([room, ...rooms[room]!]).toEqual(expect.arrayContaining(inner))
  })

  test('lets foreign modules in by their own door', () => {
    for (const specifier of importsOf(file).filter((specifier) => !specifier.startsWith('.'))) {
      const door = Object.entries(doors).find(([module]) => specifier.startsWith(module))
      expect(door, `${specifier} has no door`).toBeDefined()
      expect(file, specifier).toMatch(door![1])
    }
  })

  test('asks for time, chance and output', () => {
    if (!outside.test(file) && !runtimePrimitives.test(file)) expect(code).not.toMatch(ambient)
  })
  test('fits in one reading', () =>
    expect(lines.length).toBeLessThanOrEqual(/(table|codes)\.ts$/.test(file) ? 800 : 300))
  test('compares octets in constant time, by `equal` alone', () => expect(code).not.toMatch(leaky))
  test('throws only errors a caller can tell apart', () => expect(code).not.toMatch(/new Error\(/))
  test('needs no suppression', () => expect(text).not.toMatch(/@ts-|\bas any\b|: any\b|<any\b|biome-ignore/))

  test('documents every export', () => {
    const silent = lines.filter(
      (line, i) =>
        /^export (?!type \w+ = Infer|interface \w+ extends Infer|\{|\*|type \{)/.test(line) &&
        !/\*\/$/.test(lines[i - 1] ?? ''),
    )
    expect(silent).toEqual([])
  })
  test('exports by name', () => expect(code).not.toMatch(/^export \* /m))
})

test('no import cycles', () => {
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]) => {
    if (state.get(file) === 'open') cycles.push([...path.slice(path.indexOf(file)), file].join(' > '))
    if (state.has(file) || !source.has(file)) return
    state.set(file, 'open')
    for (const specifier of importsOf(file))
      if (specifier.startsWith('.')) visit(target(file, specifier), [...path, file])
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
  expect(cycles).toEqual([])
})
