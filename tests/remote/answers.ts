import type { AskUser } from '../../src/remote/ask-user.ts'

type Asked = Parameters<AskUser>

/** A person who gives prepared answers, and remembers what was asked. */
export interface StandInPerson {
  readonly ask: AskUser
  readonly asked: { readonly question: Asked[0]; readonly secretKey: Asked[1]; readonly again: boolean }[]
}

/** @param answers one for each question; after the last one nobody answers */
export function personWho(...answers: readonly (readonly string[] | null)[]): StandInPerson {
  const left = [...answers]
  const asked: StandInPerson['asked'] = []
  const ask: AskUser = async (question, secretKey, _signal, again = false) => {
    asked.push({ question, secretKey, again })
    return left.shift() ?? null
  }
  return { ask, asked }
}
