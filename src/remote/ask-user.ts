import { EdgesmithError } from '../contract/errors.ts'
import type { Question } from '../contract/question.ts'
import { shownText } from './shown-text.ts'

/**
 * Asks a person while a connection is being made. Answers one text for each prompt; null when nobody answers.
 * @param secretKey what is asked, so that an answer can be looked up and kept in the key store: {@link passphraseSecret},
 *   {@link passwordSecret}; null for what is good only once
 * @param signal ends the question when the connection it was for is gone
 * @param again the last answer under this `secretKey` was wrong: a stored one must not be given a second time
 */
export type AskUser = (
  question: Omit<Question, 'id'>,
  secretKey: string | null,
  signal?: AbortSignal,
  again?: boolean,
) => Promise<readonly string[] | null>

/** What the passphrase of a key file is kept under. */
export function passphraseSecret(keyPath: string): string {
  return `key-passphrase:${keyPath}`
}

/** What the password of a user is kept under. @param place `user@host:port` */
export function passwordSecret(place: string): string {
  return `password:${place}`
}

/** How often a passphrase or password is asked for, as `ssh` does (NumberOfPasswordPrompts). */
export const mostTries = 3

/** A question for the passphrase of a key file. */
export function passphraseQuestion(keyPath: string, place: string, again: boolean): Omit<Question, 'id'> {
  return {
    asker: shownText(keyPath, 300),
    title: 'Passphrase of a key',
    instructions: again ? 'That was not the passphrase of this key.' : `The key is needed to log in to ${shownText(place)}.`,
    prompts: [{ text: 'Passphrase', hidden: true }],
    canRemember: true,
  }
}

/** A question for the password of a user. */
export function passwordQuestion(place: string, again: boolean): Omit<Question, 'id'> {
  return {
    asker: shownText(place),
    title: 'Password',
    instructions: again ? 'That password was refused.' : '',
    prompts: [{ text: 'Password', hidden: true }],
    canRemember: true,
  }
}

/** The error where only a person could have gone on. @param what is asked for, in words */
export function unanswered(place: string, what = 'something only a person can answer'): EdgesmithError {
  return new EdgesmithError('QUESTION_UNANSWERED', `${place} asks for ${what}, and nobody answered`, {
    hint: 'Connect in the window or on a terminal, or log in with a key that needs no passphrase, or with the ssh-agent.',
  })
}

/** The same for the passphrase of a key, which this computer asks for and not the device. */
export function unansweredPassphrase(keyPath: string, place: string): EdgesmithError {
  return new EdgesmithError('QUESTION_UNANSWERED', `The key ${keyPath} for ${place} is protected by a passphrase, and nobody gave it`, {
    hint: `Give it in the window or on a terminal, name a variable that holds it (device add … --passphrase-env), or use the ssh-agent: ssh-add ${keyPath}`,
    details: { path: keyPath },
  })
}
