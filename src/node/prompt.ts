import { createInterface } from 'node:readline'

/** What a terminal sends for keys that end or change a line. */
const keys = { enter: ['\r', '\n'], backspace: ['\b', '\x7f'], interrupt: '\x03', end: '\x04', clear: '\x15' } as const

/** The prompt was left without an answer: Ctrl-C, Ctrl-D, or the end of the input. */
export class PromptError extends Error {
  override readonly name = 'PromptError'
}

/**
 * Asks for a secret: on a terminal without echo, which is put back on every way out; from anything else the first line.
 * Throws {@link PromptError}.
 */
export async function promptSecret(
  text: string,
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string> {
  if (!input.isTTY) return firstLine(input)
  output.write(text)
  input.setRawMode(true)
  input.resume()
  input.setEncoding('utf8')
  try {
    let secret = ''
    for (;;)
      for (const key of await nextInput(input)) {
        if (keys.enter.some((enter) => enter === key)) return secret
        if (key === keys.interrupt || (key === keys.end && secret === '')) throw new PromptError('no answer was given')
        if (keys.backspace.some((backspace) => backspace === key)) secret = [...secret].slice(0, -1).join('')
        else if (key === keys.clear) secret = ''
        else if (key >= ' ') secret += key
      }
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

/** The first line of `input`, without its end. Throws {@link PromptError} when there is none. */
export async function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input, terminal: false })
  for await (const line of lines) {
    lines.close()
    return line
  }
  throw new PromptError('the input ended before the answer')
}

function nextInput(input: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = () => {
      input.off('data', hear)
      input.off('end', end)
    }
    const hear = (data: string | Buffer) => {
      done()
      resolve(String(data))
    }
    const end = () => {
      done()
      reject(new PromptError('the input ended before the answer'))
    }
    input.on('data', hear)
    input.on('end', end)
  })
}
