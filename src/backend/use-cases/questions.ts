import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'

/** Questions of devices: codes, passphrases, passwords. */
export function questionHandlers({ questions }: Services): HandlersOf<'questions'> {
  return {
    'questions.list': () => questions.list(),
    'questions.answer': ({ id, answers, remember }) => {
      questions.answer(id, { answers, remember })
      return {}
    },
  }
}
