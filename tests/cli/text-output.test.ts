import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ProgressDisplay } from '../../src/cli/progress-display.ts'
import { closest, didYouMean } from '../../src/cli/suggestion.ts'
import { Terminal } from '../../src/cli/terminal.ts'
import { factList, textTable } from '../../src/cli/text-table.ts'
import type { Job } from '../../src/contract/job.ts'

/** A terminal that remembers what it was sent. */
function recordingTerminal(live: boolean) {
  const output = new PassThrough()
  const notes = new PassThrough()
  const written = { output: '', notes: '' }
  output.on('data', (chunk) => {
    written.output += chunk
  })
  notes.on('data', (chunk) => {
    written.notes += chunk
  })
  const asStream = (stream: PassThrough) => Object.assign(stream, { isTTY: live, columns: 60 }) as unknown as NodeJS.WriteStream
  const terminal = new Terminal(new PassThrough() as unknown as NodeJS.ReadStream, asStream(output), asStream(notes))
  return { terminal, written }
}

const hostile = 'evil\u001b]0;title\u0007\u001b[2J\u009b31m\r\nname\u202e'

describe('textTable', () => {
  it('aligns by what is seen, also with wide and combining characters', () => {
    const table = textTable(
      [{ title: 'name' }, { title: 'n', align: 'right' }],
      [
        ['模型', '1'],
        ['e\u0301', '10'],
        ['plain', '100'],
      ],
    )
    expect(table).toBe('name     n\n模型     1\ne\u0301       10\nplain  100')
  })

  it('keeps names from strangers on one line and without escape sequences', () => {
    expect(textTable([{ title: 'name' }], [[hostile]])).toBe('name\nevil·]0;title·[2J·31m·name·')
  })
})

describe('factList', () => {
  it('leaves out what is not known', () => {
    expect(
      factList([
        ['size', '1 kB'],
        ['board', null],
        ['target', 'x64'],
      ]),
    ).toBe('size    1 kB\ntarget  x64')
  })
})

describe('Terminal', () => {
  it('prints nothing that a terminal would act on', () => {
    const { terminal, written } = recordingTerminal(false)
    terminal.print(`first\n${hostile}`)
    terminal.note(hostile)
    expect(written.output).toBe('first\nevil·]0;title·[2J·31m\nname·\n')
    expect(written.notes).toBe('evil·]0;title·[2J·31m\nname·\n')
  })

  it('escapes in JSON what JSON would let through, and it reads back unchanged', () => {
    const { terminal, written } = recordingTerminal(false)
    terminal.printJson({ name: hostile })
    expect(written.output.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(JSON.parse(written.output)).toEqual({ name: hostile })
  })
})

describe('ProgressDisplay', () => {
  const job: Job = {
    id: '00000000-0000-4000-8000-000000000001',
    kind: 'optimize.start',
    title: 'Make int8-static of x',
    state: 'running',
    progress: { phase: 'calibrating', done: 1, total: 4, unit: 'samples' },
    error: null,
    result: null,
    waitingFor: null,
    createdAt: '2025-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    foreign: false,
  }

  it('writes one line for each phase where nobody watches', () => {
    const { terminal, written } = recordingTerminal(false)
    const display = new ProgressDisplay(terminal, job.title, 0)
    display.show(job, 10)
    display.show({ ...job, progress: { phase: 'calibrating', done: 2, total: 4, unit: 'samples' } }, 20)
    display.show({ ...job, state: 'queued', waitingFor: 'another benchmark' }, 30)
    display.end()
    expect(written.notes).toBe('Make int8-static of x\n  calibrating\n  waiting for another benchmark\n')
  })

  it('redraws one line on a terminal, never wider than it, and clears it before anything else is written', () => {
    const { terminal, written } = recordingTerminal(true)
    const display = new ProgressDisplay(terminal, job.title, 0)
    display.show(job, 3100)
    expect(written.notes).toBe('Make int8-static of x\n\r  [######··················]  25 %  calibrating  1/4 sample\u001b[K')
    terminal.note('a warning')
    expect(written.notes.endsWith('\u001b[K\r\u001b[Ka warning\n')).toBe(true)
    display.end()
  })
})

describe('suggestions', () => {
  it.each([
    ['inspcet', 'inspect'],
    ['benhc', 'bench'],
    ['int8-statc', 'int8-static'],
    ['FP16', 'fp16'],
    ['completely-different', undefined],
    ['x', undefined],
  ])('for %s is %s', (slip, meant) => {
    expect(closest(slip, ['inspect', 'bench', 'int8-static', 'fp16'])).toBe(meant)
  })

  it('are a question', () => {
    expect(didYouMean('benhc', ['bench'])).toBe('Did you mean "bench"?')
    expect(didYouMean('zzzzz', ['bench'])).toBeUndefined()
  })
})
