/**
 * Writes the source of the kernels in `src/crypto/kernels`: the same steps that a loop would take, each written out with
 * its round keys and working variables in locals, which V8 then holds in registers. The test of the kernels compares
 * what stands there with what this gives; `npx vitest run --project unit test/crypto/kernels -u` writes it anew.
 */

const NOTE = '// Written by tools/kernels.ts: change that, not this.\n'

/** The variables that hold the four columns of the state, before and after a round. */
const COLUMNS = [
  ['a', 'b', 'c', 'd'],
  ['e', 'f', 'g', 'h'],
] as const

/** The octet of row `row` in the column `word`, columns being little-endian words. */
const octet = (word: string, row: number) =>
  row === 0 ? `${word} & 255` : row === 3 ? `${word} >>> 24` : `(${word} >>> ${8 * row}) & 255`

/** The column that ShiftRows takes row `row` of the new column `column` from; its inverse turns the other way. */
const shifted = (column: number, row: number, decrypt: boolean) => (decrypt ? column - row + 4 : column + row) & 3

/**
 * The rounds but the last: SubBytes, ShiftRows and MixColumns are four look-ups a column (FIPS 197 §5.1, §5.3.5). V8 does
 * its exclusive ors where their sum is first asked for, which would be in the next round, with sixteen words waiting that
 * no sixteen registers hold; so the look-up of the next round that needs no mask comes as soon as its column is there.
 */
function aesRounds(rounds: number, decrypt: boolean): string[] {
  return Array.from({ length: rounds - 1 }, (_, i) => aesRound(i + 1, i + 2 < rounds, decrypt)).flat()
}

/** One round; `ahead` with the look-ups of row 3 of the next one. */
function aesRound(round: number, ahead: boolean, decrypt: boolean): string[] {
  const from = COLUMNS[(round + 1) & 1]!
  const to = COLUMNS[round & 1]!
  return to.map((name, column) => {
    const lookUp = (row: number) => `t${row}[${octet(from[shifted(column, row, decrypt)]!, row)}]!`
    const last = round === 1 ? lookUp(3) : name + name
    const sum = `    ${name} = (${lookUp(0)} ^ w${4 * round + column} ^ ${lookUp(1)}) ^ (${lookUp(2)} ^ ${last})`
    const next = from[shifted(column, 3, !decrypt)]!
    return ahead ? `${sum}; ${next}${next} = t3[${octet(name, 3)}]!` : sum
  })
}

/** The last round, without MixColumns. */
function aesLastRound(rounds: number, decrypt: boolean): string[] {
  const from = COLUMNS[(rounds + 1) & 1]!
  return [0, 1, 2, 3].map((column) => {
    const lookUps = [0, 1, 2, 3].map((row) => {
      const substituted = `s[${octet(from[shifted(column, row, decrypt)]!, row)}]!`
      return row === 0 ? substituted : `(${substituted} << ${8 * row})`
    })
    return `    const z${column} = (${lookUps.join(' | ')}) ^ w${4 * rounds + column}`
  })
}

/**
 * CBC over whole blocks for a key schedule of `rounds` rounds. What a block is decrypted to is summed with the ciphertext
 * before it, so decryption runs from the end, where that is still there.
 */
function aesKernel(rounds: 10 | 14, decrypt: boolean): string {
  const size = 4 * (rounds + 1)
  const base = decrypt ? size : 0
  const columns = [0, 1, 2, 3]
  const state = COLUMNS[0]
  const here = columns.map((column) => `words[i${column === 0 ? '' : ` + ${column}`}]`)
  const before = columns.map((column) => `words[${decrypt ? 'i' : 'from'} - ${4 - column}]!`)
  const name = `aes${rounds === 10 ? 128 : 256}${decrypt ? 'Decrypt' : 'Encrypt'}`
  const rows = [
    `/** ${decrypt ? 'Decrypts' : 'Encrypts'} the blocks of \`words\` from index \`from\` up to \`to\` with the schedule in \`keys\`, in place; the block before is the IV. */`,
    `export function ${name}(keys: Int32Array, words: Int32Array, from: number, to: number): void {`,
    `  const ${columns.map((i) => `t${i} = ${decrypt ? 'd' : 'e'}${i}`).join(', ')}, s = ${decrypt ? 'inverse' : 'sbox'}`,
    ...Array.from(
      { length: rounds + 1 },
      (_, round) =>
        `  const ${columns.map((column) => `w${4 * round + column} = keys[${base + 4 * round + column}]!`).join(', ')}`,
    ),
    `  let ${state.map((column, i) => `${column} = ${decrypt ? 0 : before[i]}`).join(', ')}`,
    `  let ${COLUMNS[1].map((column) => `${column} = 0`).join(', ')}`,
    `  let ${COLUMNS.flat()
      .map((column) => `${column}${column} = 0`)
      .join(', ')}`,
    decrypt ? '  for (let i = to - 4; i >= from; i -= 4) {' : '  for (let i = from; i < to; i += 4) {',
    ...state.map((column, i) => `    ${column} ${decrypt ? '=' : '^='} ${here[i]}! ^ w${i}`),
    ...aesRounds(rounds, decrypt),
    ...aesLastRound(rounds, decrypt),
    ...columns.map((i) => `    ${here[i]} = ${decrypt ? `z${i} ^ ${before[i]}` : `${state[i]} = z${i}`}`),
    '  }',
    '}',
  ]
  return `${rows.join('\n')}\n`
}

/** The source of `aestable.ts`. */
export const aesSource = (): string =>
  [
    `${NOTE}import { D0, D1, D2, D3, E0, E1, E2, E3, INVERSE, SBOX } from './boxes.ts'\n`,
    '// V8 puts the address and length of a constant of the module itself into the code, but looks up what is imported:',
    '// without these names the kernels are a third slower.',
    'const d0 = D0, d1 = D1, d2 = D2, d3 = D3, e0 = E0, e1 = E1, e2 = E2, e3 = E3, inverse = INVERSE, sbox = SBOX\n',
    aesKernel(10, false),
    aesKernel(10, true),
    aesKernel(14, false),
    aesKernel(14, true),
  ].join('\n')

/** The functions and constants of SHA-1's four times twenty steps (FIPS 180-4 §4.1.1, §4.2.1). */
const SHA1_STEPS = [
  { of: (b: string, c: string, d: string) => `(${d} ^ (${b} & (${c} ^ ${d})))`, constant: 0x5a827999 },
  { of: (b: string, c: string, d: string) => `(${b} ^ ${c} ^ ${d})`, constant: 0x6ed9eba1 },
  { of: (b: string, c: string, d: string) => `((${b} & ${c}) | (${d} & (${b} | ${c})))`, constant: 0x8f1bbcdc },
  { of: (b: string, c: string, d: string) => `(${b} ^ ${c} ^ ${d})`, constant: 0xca62c1d6 },
] as const

/** The eighty steps; instead of moving a..e along, each step names them anew. */
function sha1Steps(indent: string): string[] {
  const names = ['a', 'b', 'c', 'd', 'e']
  return Array.from({ length: 80 }, (_, step) => {
    const [a, b, c, d, e] = names.map((_, i) => names[(i + 80 - step) % 5]!) as [string, string, string, string, string]
    const word = `w${step & 15}`
    const { of, constant } = SHA1_STEPS[Math.floor(step / 20)]!
    const schedule = [
      `${indent}t = w${(step + 13) & 15} ^ w${(step + 8) & 15} ^ w${(step + 2) & 15} ^ ${word}; ${word} = (t << 1) | (t >>> 31)`,
    ]
    const sum = `((((${a} << 5) | (${a} >>> 27)) + ${of(b, c, d)} | 0) + ((${e} + ${word} | 0) + ${constant | 0} | 0)) | 0`
    return [...(step < 16 ? [] : schedule), `${indent}${e} = ${sum}; ${b} = (${b} << 30) | (${b} >>> 2)`]
  }).flat()
}

const FIVE = [0, 1, 2, 3, 4]
const SIXTEEN = Array.from({ length: 16 }, (_, i) => i)

/** The source of `sha1table.ts`. V8 makes one instruction of a word of a view, and eleven of four octets put together. */
export const sha1Source = (): string =>
  [
    NOTE,
    '/** Compresses the 64-octet blocks of `view` from `from` up to `to` into the five words of `state` at `at` (FIPS 180-4 §6.1.2). */',
    'export function sha1Blocks(state: Int32Array, at: number, view: DataView, from: number, to: number): void {',
    `  let ${FIVE.map((i) => `h${i} = state[at + ${i}]!`).join(', ')}`,
    '  for (let o = from; o < to; o += 64) {',
    `    let ${['a', 'b', 'c', 'd', 'e'].map((name, i) => `${name} = h${i}`).join(', ')}, t = 0`,
    ...SIXTEEN.map((i) => `    let w${i} = view.getInt32(o + ${4 * i})`),
    ...sha1Steps('    '),
    ...['a', 'b', 'c', 'd', 'e'].map((name, i) => `    h${i} = (h${i} + ${name}) | 0`),
    '  }',
    `  ${FIVE.map((i) => `state[at + ${i}] = h${i}`).join('; ')}`,
    '}',
    '',
    '/**',
    ' * Compresses the one block that ends an HMAC: five words of `digest` at `from`, padding, and the length of a block and a',
    ' * digest, 672 bits; starts from the five words of `state` at `at`, writes five words of `result` at `to`.',
    ' */',
    'export function sha1Digest(state: Int32Array, at: number, digest: Int32Array, from: number, result: Int32Array, to: number): void {',
    `  const ${FIVE.map((i) => `h${i} = state[at + ${i}]!`).join(', ')}`,
    `  let ${['a', 'b', 'c', 'd', 'e'].map((name, i) => `${name} = h${i}`).join(', ')}, t = 0`,
    `  let ${FIVE.map((i) => `w${i} = digest[from + ${i}]!`).join(', ')}, w5 = -2147483648`,
    `  let ${SIXTEEN.slice(6, 15)
      .map((i) => `w${i} = 0`)
      .join(', ')}, w15 = 672`,
    ...sha1Steps('  '),
    `  ${['a', 'b', 'c', 'd', 'e'].map((name, i) => `result[to + ${i}] = (h${i} + ${name}) | 0`).join('; ')}`,
    '}',
    '',
  ].join('\n')
