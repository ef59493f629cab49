import type { Backend } from '../backend/backend.ts'
import type { Terminal } from './terminal.ts'

/** Has whoever sits at the terminal answer what devices ask (passphrases, one-time codes), one question after the other. */
export function answerQuestions(backend: Backend, terminal: Terminal): void {
  let busy = false
  let changed = false
  const answerAll = async () => {
    changed = true
    if (busy) return
    busy = true
    try {
      // The next question may come while the list without it is on its way.
      while (changed) {
        changed = false
        const [question] = await backend.call('questions.list', {})
        if (!question) continue
        changed = true
        const answers: string[] = []
        terminal.note(`${question.asker}: ${question.title}`)
        if (question.instructions !== '') terminal.note(question.instructions)
        for (const { text, hidden } of question.prompts) {
          const answer = await terminal.ask(text, hidden)
          if (answer === null) break
          answers.push(answer)
        }
        const given = answers.length === question.prompts.length
        // It may have been given up meanwhile: the connection says so itself.
        await backend.call('questions.answer', { id: question.id, answers: given ? answers : null }).catch(() => undefined)
      }
    } finally {
      busy = false
    }
  }
  backend.onEvent((event) => {
    if (event.type === 'changed' && event.what === 'questions') void answerAll().catch(() => undefined)
  })
}
