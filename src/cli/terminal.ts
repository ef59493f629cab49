import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { plainLines } from '../backend/report/plain-text.ts'

type Output = NodeJS.WriteStream | WriteStream
type Input = NodeJS.ReadStream | ReadStream

/** Standard input and outputs. Everything written is free of control characters, whoever named the models. */
export class Terminal {
  private readonly input: Input
  private readonly output: Output
  private readonly notes: Output
  /** Notes go above the progress line: this clears it first. */
  clearLine: () => void = () => undefined

  constructor(input: Input, output: Output, notes: Output) {
    this.input = input
    this.output = output
    this.notes = notes
  }

  /** People watch standard error: progress may be redrawn in place. */
  get live(): boolean {
    return this.notes.isTTY === true
  }

  /** Somebody is there to answer a question. */
  get interactive(): boolean {
    return this.live && this.input.isTTY === true
  }

  get columns(): number {
    // Terminals that do not know their width say 0.
    return this.notes.columns || 80
  }

  /** Results, to standard output. */
  print(text: string): void {
    this.clearLine()
    this.output.write(`${plainLines(text).replace(/\n+$/, '')}\n`)
  }

  /** A JSON document, to standard output. Characters a terminal could act on are escaped as JSON allows. */
  printJson(document: unknown): void {
    this.clearLine()
    const text = JSON.stringify(document, null, 2)
    this.output.write(`${text.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, escapeUnits)}\n`)
  }

  /** Progress, warnings and errors, to standard error. */
  note(text: string): void {
    this.clearLine()
    this.notes.write(`${plainLines(text)}\n`)
  }

  /** Redraws the progress line in place; `text` must come from this program. */
  redraw(text: string): void {
    this.notes.write(`\r${text}\x1b[K`)
  }

  /** Asks a question on standard error. Anything but y or yes is no, Ctrl+C and the end of input too. */
  confirm(question: string): Promise<boolean> {
    this.clearLine()
    const prompt = createInterface({ input: this.input, output: this.notes })
    return new Promise((resolve) => {
      prompt.on('SIGINT', () => prompt.close())
      prompt.on('close', () => resolve(false))
      prompt.question(`${plainLines(question)} [y/N] `, (answer) => {
        resolve(/^y(es)?$/i.test(answer.trim()))
        prompt.close()
      })
    })
  }

  /** Asks for a line on standard error. @param hidden what is typed is not shown; @returns null on Ctrl+C and at the end of input */
  ask(question: string, hidden: boolean): Promise<string | null> {
    this.clearLine()
    // What is typed goes through here; nothing of it is passed on while it is hidden.
    const shown = new Writable({
      write: (chunk, _encoding, done) => {
        if (!hidden) this.notes.write(chunk)
        done()
      },
    })
    this.notes.write(`${plainLines(question)} `)
    const prompt = createInterface({ input: this.input, output: shown, terminal: true })
    return new Promise((resolve) => {
      prompt.on('SIGINT', () => prompt.close())
      prompt.on('close', () => {
        if (hidden) this.notes.write('\n')
        resolve(null)
      })
      prompt.question('', (answer) => {
        resolve(answer)
        prompt.close()
      })
    })
  }
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')
}
