import { expect, it } from 'vitest'
import type { Backend } from '../../src/backend/backend.ts'
import { answerQuestions } from '../../src/cli/answer-questions.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

it('asks a question too that comes while the list without it is on its way', async () => {
  const question = (id: string) => ({ id, asker: 'key', title: id, instructions: '', prompts: [{ text: 'Passphrase', hidden: true }] })
  let open = [question('first')]
  let tell: () => void = () => undefined
  const answered: string[] = []
  const backend = {
    onEvent: (listener: (event: object) => void) => {
      tell = () => listener({ type: 'changed', what: 'questions' })
    },
    call: async (name: string, input: { id: string }) => {
      if (name === 'questions.answer') {
        answered.push(input.id)
        open = []
        return undefined
      }
      const listed = open
      if (listed.length === 0 && answered.length === 1) {
        open = [question('second')]
        tell()
      }
      return listed
    },
  }
  const terminal = { note: () => undefined, ask: async () => 'text' }
  answerQuestions(backend as unknown as Backend, terminal as unknown as Terminal)
  tell()
  await expect.poll(() => answered).toEqual(['first', 'second'])
})
