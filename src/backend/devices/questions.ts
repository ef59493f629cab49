import { randomUUID } from 'node:crypto'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Question } from '../../contract/question.ts'
import type { AskUser } from '../../remote/ask-user.ts'
import type { SecretStore } from '../secret-store.ts'

/** A person who went for the phone with the code needs no longer; an SSH server waits two minutes. */
const ANSWER_WITHIN_MS = 300_000
/** Devices that ask at the same time; a device that asks more is refused. */
const MOST_QUESTIONS = 20

/** What was answered, and whether it may be kept. */
export interface Answer {
  /** One for each prompt; null gives up. */
  readonly answers: readonly string[] | null
  readonly remember: boolean
}

interface OpenQuestion {
  readonly question: Question
  readonly settle: (answer: Answer) => void
}

/** Questions of devices that wait for a person: of the window, or at the terminal. */
export class Questions {
  private readonly secrets: SecretStore
  readonly somebodyAnswers: boolean
  private readonly changed: () => void
  private readonly open = new Map<string, OpenQuestion>()

  /**
   * @param somebodyAnswers false where no person is there: every question is given up at once
   * @param changed called when {@link list} has changed
   */
  constructor(secrets: SecretStore, somebodyAnswers: boolean, changed: () => void) {
    this.secrets = secrets
    this.somebodyAnswers = somebodyAnswers
    this.changed = changed
  }

  list(): Question[] {
    return [...this.open.values()].map(({ question }) => question)
  }

  /** @throws EdgesmithError `NOT_FOUND` (given up meanwhile), `USAGE` (another number of answers than prompts) */
  answer(id: string, answer: Answer): void {
    const open = this.open.get(id)
    if (!open) throw new EdgesmithError('NOT_FOUND', 'That question is not open any more')
    if (answer.answers && answer.answers.length !== open.question.prompts.length) {
      throw new EdgesmithError('USAGE', `${open.question.prompts.length} answers are needed, ${answer.answers.length} were given`)
    }
    open.settle(answer)
  }

  /** Asks: a kept answer is given first; one that was wrong is forgotten, and a person is asked. */
  readonly asker: AskUser = async (question, secretKey, signal, again = false) => {
    const key = question.canRemember ? secretKey : null
    if (key !== null && again) await this.secrets.remove(key)
    const kept = key === null || again ? null : await this.secrets.get(key)
    if (kept !== null) return [kept]
    if (!this.somebodyAnswers || signal?.aborted || this.open.size >= MOST_QUESTIONS) return null
    const { answers, remember } = await this.ask({ ...question, id: randomUUID() }, signal)
    const [first] = answers ?? []
    if (remember && key !== null && first !== undefined) await this.secrets.put(key, first)
    return answers
  }

  /** Gives up everything that is open. */
  close(): void {
    for (const { settle } of [...this.open.values()]) settle({ answers: null, remember: false })
  }

  private ask(question: Question, signal: AbortSignal | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        if (!this.open.delete(question.id)) return
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
        this.changed()
        resolve(answer)
      }
      const giveUp = () => settle({ answers: null, remember: false })
      const timer = setTimeout(giveUp, ANSWER_WITHIN_MS)
      timer.unref()
      signal?.addEventListener('abort', giveUp, { once: true })
      this.open.set(question.id, { question, settle })
      this.changed()
    })
  }
}
